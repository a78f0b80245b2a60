package dynamodb

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"devstack/emulators/wire"
)

// managedAlias is the name of the key that AWS keeps in each account for DynamoDB.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
const managedAlias = "alias/aws/dynamodb"

// How often the encryption of a table may be changed: so often in 24 hours, and then once in an interval (observed on AWS,
// October 2026, as are the words of this file).
const (
	freeKeyChanges    = 4
	keyChangeWindow   = 24 * time.Hour
	keyChangeInterval = 6 * time.Hour
)

// encryption is what an SSESpecification asks for: the ARN of a KMS key, "" for AWS's own, of which nothing is said. It
// changes nothing but what is reported: there is no KMS here, and a key is taken to be there.
func encryption(r *wire.Request, spec *SSESpecification) (keyARN string, err error) {
	if spec == nil {
		return "", nil
	}
	off := spec.Enabled != nil && !*spec.Enabled
	switch {
	case off && spec.SSEType != nil:
		return "", badParameter("SSEType can not be specified if Enabled is false")
	case off && spec.KMSMasterKeyId != nil:
		return "", badParameter("KMSMasterKeyId can not be specified if Enabled is false")
	case is(spec.SSEType, SSETypeAes256):
		return "", badParameter("SSEType AES256 is not supported")
	case spec.KMSMasterKeyId != nil && spec.SSEType == nil:
		return "", badParameter("SSEType KMS is required if KMSMasterKeyId is specified")
	case off || spec.Enabled == nil && spec.SSEType == nil:
		return "", nil
	case spec.KMSMasterKeyId == nil:
		return keyOfAlias(r, managedAlias), nil
	}
	return keyARNOf(r, *spec.KMSMasterKeyId)
}

// keyARNOf is the ARN of a key that is named by its ARN or id, or by the ARN or name of an alias.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SSESpecification.html
func keyARNOf(r *wire.Request, id string) (string, error) {
	name, own := id, r.ARN("kms", "")
	if strings.HasPrefix(id, "arn:") {
		parts := strings.SplitN(id+":::::", ":", 6)
		if parts[2] != "kms" || parts[3] != r.Region {
			return "", errValidation("KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Invalid arn %s "+
				"(Service: AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: %s; Proxy: null)", parts[3], r.ID)
		}
		if !strings.HasPrefix(id, own+"alias/") {
			return id, nil
		}
		name = strings.TrimPrefix(id, own)
	}
	if strings.HasPrefix(name, "alias/") {
		return keyOfAlias(r, name), nil
	}
	return own + "key/" + strings.TrimPrefix(name, "key/"), nil
}

// keyOfAlias is the ARN of the key that an alias means: always the same one, since there is no KMS to ask.
func keyOfAlias(r *wire.Request, alias string) string {
	h := sha256.Sum256([]byte(r.ARN("kms", alias)))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80 // the marks of a random UUID
	return r.ARN("kms", fmt.Sprintf("key/%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}

// encrypt changes a table's encryption. A key that is named by alias or id is a change even if it is the one already there.
func (t *table) encrypt(r *wire.Request, spec *SSESpecification, now time.Time) error {
	key, err := encryption(r, spec)
	switch {
	case err != nil:
		return err
	case t.under(encrypting) != nil:
		return inUse("Server-Side Encryption is still being updated")
	case key == "" && t.EncryptedBy == "":
		return badParameter("Table is already encrypted by default")
	case spec.KMSMasterKeyId != nil && *spec.KMSMasterKeyId == t.EncryptedBy:
		return badParameter("Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key")
	}
	recent := slices.DeleteFunc(slices.Clone(t.KeyChanges), func(at time.Time) bool { return !at.After(now.Add(-keyChangeWindow)) })
	if n := len(recent); n >= freeKeyChanges && now.Before(recent[n-1].Add(keyChangeInterval)) {
		const format = "2006-01-02T15:04:05.000Z"
		return errLimitExceededException("Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at %s. "+
			"After the first %d change, each subsequent change in the same window can be performed at most once every %d seconds. "+
			"Number of updates today: %d. Last change at %s. Next changes can be made at %s.", recent[0].Add(keyChangeWindow).UTC().Format(format),
			freeKeyChanges, int(keyChangeInterval.Seconds()), n, recent[n-1].UTC().Format(format), recent[n-1].Add(keyChangeInterval).UTC().Format(format))
	}
	t.KeyChanges, t.EncryptedBy = append(recent, now), key
	return nil
}
