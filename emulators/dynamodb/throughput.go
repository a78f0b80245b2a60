package dynamodb

import "time"

// set takes over what a request says of a throughput. of is "" for a table, "index: NAME" for an index. The messages but the
// first are from memory of AWS's answers.
func (p *throughput) set(billing, of string, given *ProvisionedThroughput, onDemand *OnDemandThroughput, warm *WarmThroughput) error {
	switch {
	case billing == BillingModePayPerRequest && given != nil && of == "": // recorded answer
		return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case billing == BillingModePayPerRequest && given != nil:
		return badParameter("ProvisionedThroughput should not be specified for %s when BillingMode is PAY_PER_REQUEST", of)
	case billing == BillingModeProvisioned && given == nil && of == "":
		return badParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case billing == BillingModeProvisioned && given == nil:
		return badParameter("ProvisionedThroughput must be specified for %s", of)
	}
	p.Read, p.Write = 0, 0
	if given != nil {
		p.Read, p.Write = *given.ReadCapacityUnits, *given.WriteCapacityUnits
	}
	p.limit(onDemand)
	p.warm(warm)
	return nil
}

// limit takes over the maximum of on-demand requests; -1 takes it away.
func (p *throughput) limit(given *OnDemandThroughput) {
	if given == nil {
		return
	}
	if given.MaxReadRequestUnits != nil {
		p.OnDemandRead = given.MaxReadRequestUnits
	}
	if given.MaxWriteRequestUnits != nil {
		p.OnDemandWrite = given.MaxWriteRequestUnits
	}
}

// warm takes over the throughput that a table is to be ready for at once.
func (p *throughput) warm(given *WarmThroughput) {
	if given == nil {
		return
	}
	if given.ReadUnitsPerSecond != nil {
		p.WarmRead = *given.ReadUnitsPerSecond
	}
	if given.WriteUnitsPerSecond != nil {
		p.WarmWrite = *given.WriteUnitsPerSecond
	}
}

// change sets provisioned throughput anew and remembers when it rose and fell.
func (p *throughput) change(given *ProvisionedThroughput, now time.Time) {
	if *given.ReadCapacityUnits > p.Read || *given.WriteCapacityUnits > p.Write {
		p.Increased = &now
	}
	if *given.ReadCapacityUnits < p.Read || *given.WriteCapacityUnits < p.Write {
		if p.Decreased == nil || !sameDay(*p.Decreased, now) {
			p.Decreases = 0
		}
		p.Decreases++
		p.Decreased = &now
	}
	p.Read, p.Write = *given.ReadCapacityUnits, *given.WriteCapacityUnits
}

func (p *throughput) equals(given *ProvisionedThroughput) bool {
	return p.Read == *given.ReadCapacityUnits && p.Write == *given.WriteCapacityUnits
}

// provisioned describes the provisioned throughput, which is zero on demand.
func (p *throughput) provisioned(now time.Time) *ProvisionedThroughputDescription {
	d := &ProvisionedThroughputDescription{
		LastIncreaseDateTime: p.Increased, LastDecreaseDateTime: p.Decreased,
		NumberOfDecreasesToday: new(int64(0)), ReadCapacityUnits: new(p.Read), WriteCapacityUnits: new(p.Write),
	}
	if p.Decreased != nil && sameDay(*p.Decreased, now) {
		d.NumberOfDecreasesToday = new(p.Decreases)
	}
	return d
}

// onDemand describes the maximum of on-demand requests, nil if there is none.
func (p *throughput) onDemand() *OnDemandThroughput {
	if p.OnDemandRead == nil && p.OnDemandWrite == nil {
		return nil
	}
	return &OnDemandThroughput{MaxReadRequestUnits: p.OnDemandRead, MaxWriteRequestUnits: p.OnDemandWrite}
}

// What a new on-demand table is ready for (recorded answers).
const (
	warmReads  = 12000
	warmWrites = 4000
)

// ready is the throughput, in units a second, that a table is ready for at once: what is provisioned or what was asked for.
func (p *throughput) ready(billing string) (reads, writes int64) {
	if billing == BillingModePayPerRequest {
		return max(warmReads, p.WarmRead), max(warmWrites, p.WarmWrite)
	}
	return max(p.Read, p.WarmRead), max(p.Write, p.WarmWrite)
}

func sameDay(a, b time.Time) bool {
	const day = "2006-01-02"
	return a.UTC().Format(day) == b.UTC().Format(day)
}
