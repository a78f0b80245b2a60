package dynamodb

// details describes the backup itself.
func (b *backup) details() *BackupDetails {
	return &BackupDetails{
		BackupArn: new(b.arn()), BackupName: new(b.Name), BackupSizeBytes: new(b.Bytes), BackupStatus: new(b.status()),
		BackupType: new(b.Type), BackupCreationDateTime: new(b.Created), BackupExpiryDateTime: b.Expires,
	}
}

func (b *backup) status() string {
	if b.Copying {
		return BackupStatusCreating
	}
	return BackupStatusAvailable
}

// summary describes the backup in a list.
func (b *backup) summary() BackupSummary {
	return BackupSummary{
		TableName: new(b.Table.Name), TableId: new(b.Table.ID), TableArn: new(b.Table.arn()),
		BackupArn: new(b.arn()), BackupName: new(b.Name), BackupCreationDateTime: new(b.Created), BackupExpiryDateTime: b.Expires,
		BackupStatus: new(b.status()), BackupType: new(b.Type), BackupSizeBytes: new(b.Bytes),
	}
}

// describe describes the backup and the table as it was.
func (b *backup) describe() *BackupDescription {
	t := &b.Table
	return &BackupDescription{
		BackupDetails: b.details(),
		SourceTableDetails: &SourceTableDetails{
			TableName: new(t.Name), TableId: new(t.ID), TableArn: new(t.arn()), TableSizeBytes: new(b.Bytes), KeySchema: t.Key.wire(),
			TableCreationDateTime: new(t.Created), ProvisionedThroughput: t.Throughput.units(), OnDemandThroughput: t.Throughput.onDemand(),
			ItemCount: new(b.Count), BillingMode: new(t.Billing),
		},
		SourceTableFeatureDetails: t.features(),
	}
}

// features describes what was switched on. What was not is left out, not said to be off (observed, ack-api-quirks,
// DDB-BACKUP-009).
func (t *table) features() *SourceTableFeatureDetails {
	f := &SourceTableFeatureDetails{}
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if !x.Global {
			f.LocalSecondaryIndexes = append(f.LocalSecondaryIndexes, LocalSecondaryIndexInfo{
				IndexName: new(x.Name), KeySchema: x.Key.wire(), Projection: x.projection(),
			})
			continue
		}
		f.GlobalSecondaryIndexes = append(f.GlobalSecondaryIndexes, GlobalSecondaryIndexInfo{
			IndexName: new(x.Name), KeySchema: x.Key.wire(), Projection: x.projection(),
			ProvisionedThroughput: x.Throughput.units(), OnDemandThroughput: x.Throughput.onDemand(),
		})
	}
	if t.View != "" {
		f.StreamDescription = &StreamSpecification{StreamEnabled: new(true), StreamViewType: new(t.View)}
	}
	if t.TTL != "" {
		f.TimeToLiveDescription = &TimeToLiveDescription{TimeToLiveStatus: new(TimeToLiveStatusEnabled), AttributeName: new(t.TTL)}
	}
	if t.EncryptedBy != "" {
		f.SSEDescription = &SSEDescription{Status: new(SSEStatusEnabled), SSEType: new(SSETypeKms), KMSMasterKeyArn: new(t.EncryptedBy)}
	}
	return f
}

// units is the provisioned throughput as a backup tells it.
func (p *throughput) units() *ProvisionedThroughput {
	return &ProvisionedThroughput{ReadCapacityUnits: new(p.Read), WriteCapacityUnits: new(p.Write)}
}
