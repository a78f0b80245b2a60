package dynamodb

import (
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// The quotas of an account, which DescribeLimits tells.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxAccountUnits = 80000
	maxTableUnits   = 40000
)

// What a new on-demand table is ready for (recorded answers).
const (
	warmReads  = 12000
	warmWrites = 4000
)

const msgHigherLimits = "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."

// msgUnchanged is how AWS refuses what would change nothing: of "the table" twice, or "the index NAME" and "index NAME".
const msgUnchanged = "The provisioned throughput for %s will not change. The requested value equals the current value. " +
	"Current ReadCapacityUnits provisioned for %s: %d. Requested ReadCapacityUnits: %d. " +
	"Current WriteCapacityUnits provisioned for %[2]s: %[5]d. Requested WriteCapacityUnits: %[6]d. " + msgHigherLimits

// units is a pair of numbers as a request has it, with its members' names, for messages. The words of this file are AWS's,
// observed in October 2026.
type units struct {
	kind, reads, writes string
	read, write         *int64
}

func onDemandUnits(given *OnDemandThroughput) units {
	if given == nil {
		return units{}
	}
	return units{"OnDemandThroughput", "MaxReadRequestUnits", "MaxWriteRequestUnits", given.MaxReadRequestUnits, given.MaxWriteRequestUnits}
}

func warmUnits(given *WarmThroughput) units {
	if given == nil {
		return units{}
	}
	return units{"WarmThroughput", "ReadUnitsPerSecond", "WriteUnitsPerSecond", given.ReadUnitsPerSecond, given.WriteUnitsPerSecond}
}

// first is the name of the first number that holds, "" if none does.
func (u units) first(holds func(given int64, read bool) bool) string {
	switch {
	case u.read != nil && holds(*u.read, true):
		return u.reads
	case u.write != nil && holds(*u.write, false):
		return u.writes
	}
	return ""
}

// of names what units are for: AWS writes a blank before some of the colons, and none in other places.
func of(x *index, colon string) string {
	if x == nil {
		return "table"
	}
	return "index" + colon + x.Name
}

// checkMost refuses more than an account may have for one table or index.
func (u units) checkMost(t *table, x *index, colon string) error {
	name := u.first(func(given int64, _ bool) bool { return given > maxTableUnits })
	if name == "" {
		return nil
	}
	quota := "TableMaxReadCapacityUnits"
	if name == u.writes {
		quota = "TableMaxWriteCapacityUnits"
	}
	return errLimitExceededException("Subscriber limit exceeded: Requested %s for %s for %s exceeds %s of the account in region %s", name, u.kind, of(x, colon), quota, t.Region)
}

// create takes over what a request says of the throughput of a new table (x is nil) or index.
func (p *throughput) create(t *table, x *index, given *ProvisionedThroughput, onDemand *OnDemandThroughput, warm *WarmThroughput) error {
	onPay := t.Billing == BillingModePayPerRequest
	switch {
	case onPay && given != nil && x == nil: // recorded answer
		return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case onPay && given != nil:
		return badParameter("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", x.Name)
	case !onPay && given == nil && x == nil:
		return badParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case !onPay && given == nil:
		return badParameter("ProvisionedThroughput is not specified for index: %s", x.Name)
	}
	if given != nil {
		if err := checkCapacity(t, x, given); err != nil {
			return err
		}
		p.Read, p.Write = *given.ReadCapacityUnits, *given.WriteCapacityUnits
	}
	if err := p.createOnDemand(t, x, onDemand); err != nil {
		return err
	}
	return p.createWarm(t, x, warm)
}

// checkCapacity refuses more capacity than an account may give to one table or index.
func checkCapacity(t *table, x *index, given *ProvisionedThroughput) error {
	for _, c := range []struct {
		name  string
		units int64
	}{{"ReadCapacityUnits", *given.ReadCapacityUnits}, {"WriteCapacityUnits", *given.WriteCapacityUnits}} {
		if c.units <= maxTableUnits {
			continue
		}
		what, per := c.name, "table"
		if x != nil {
			what, per = c.name+" for index "+x.Name, "index"
		}
		return errLimitExceededException("The requested %s, %d, is above the per %s maximum for the account in %s. Per table maximum: %d. "+msgHigherLimits,
			what, c.units, per, t.Region, maxTableUnits)
	}
	return nil
}

// reserved is what the table and its indexes have of provisioned throughput.
func (t *table) reserved() (reads, writes int64) {
	reads, writes = t.Throughput.Read, t.Throughput.Write
	for _, x := range t.Indexes {
		reads, writes = reads+x.Throughput.Read, writes+x.Throughput.Write
	}
	return reads, writes
}

// checkAccount refuses a new table with which the account would have more capacity in the region than it may (observed,
// ack-api-quirks, DDB-TABLE-170, 443).
func (t *table) checkAccount(tx *store.Tx) error {
	reads, writes := t.reserved()
	if reads+writes == 0 {
		return nil
	}
	var allReads, allWrites int64
	for other := range tables.All(tx, t.Account, t.Region) {
		r, w := other.reserved()
		allReads, allWrites = allReads+r, allWrites+w
	}
	for _, c := range []struct {
		name       string
		asked, had int64
	}{{"ReadCapacityUnits", reads, allReads}, {"WriteCapacityUnits", writes, allWrites}} {
		if c.asked+c.had > maxAccountUnits {
			return errLimitExceededException("This request would have caused the %s limit to be exceeded for the account in %s. "+
				"Current %[1]s reserved by the account: %[3]d. Limit: %[4]d. Requested: %[5]d. "+msgHigherLimits, c.name, t.Region, c.had, maxAccountUnits, c.asked)
		}
	}
	return nil
}

// createOnDemand takes over a maximum of on-demand requests.
func (p *throughput) createOnDemand(t *table, x *index, given *OnDemandThroughput) error {
	u := onDemandUnits(given)
	if t.Billing != BillingModePayPerRequest {
		if name := u.first(func(int64, bool) bool { return true }); name != "" {
			if x != nil {
				return badParameter("%s for OnDemandThroughput for index: %s cannot be specified when table BillingMode is PROVISIONED.", name, x.Name)
			}
			return badParameter("%s for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.", name)
		}
	}
	if name := u.first(func(n int64, _ bool) bool { return n < 1 }); name != "" {
		return badParameter("Requested %s for OnDemandThroughput for %s is outside of valid range", name, of(x, " : "))
	}
	if err := u.checkMost(t, x, " : "); err != nil {
		return err
	}
	p.limit(given)
	return nil
}

// createWarm takes over the throughput that a table is to be ready for at once. It is never less than what it has anyway.
func (p *throughput) createWarm(t *table, x *index, given *WarmThroughput) error {
	p.WarmRead, p.WarmWrite = p.Read, p.Write
	if t.Billing == BillingModePayPerRequest {
		p.WarmRead, p.WarmWrite = warmReads, warmWrites
	}
	u := warmUnits(given)
	switch name := u.first(p.tooCold); {
	case name == "":
	case t.Billing == BillingModePayPerRequest:
		return badParameter("Requested %s for WarmThroughput for %s is lower than initial throughput for OnDemand. "+
			"See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial", name, of(x, " "))
	default:
		capacity := "ReadCapacityUnits"
		if name == u.writes {
			capacity = "WriteCapacityUnits"
		}
		return badParameter("Requested %s for WarmThroughput for %s is lower than %s of ProvisionedThroughput", name, of(x, " "), capacity)
	}
	if err := u.checkMost(t, x, " "); err != nil {
		return err
	}
	p.warm(given)
	return nil
}

// tooCold tells whether a number is less than what there is already.
func (p *throughput) tooCold(n int64, read bool) bool {
	return read && n < p.WarmRead || !read && n < p.WarmWrite
}

// warm takes over the throughput that a table is to be ready for at once.
func (p *throughput) warm(given *WarmThroughput) {
	u := warmUnits(given)
	if u.read != nil {
		p.WarmRead = *u.read
	}
	if u.write != nil {
		p.WarmWrite = *u.write
	}
}

// limit takes over a maximum of on-demand requests, member by member.
func (p *throughput) limit(given *OnDemandThroughput) {
	u := onDemandUnits(given)
	if u.read != nil {
		p.OnDemandRead = u.read
	}
	if u.write != nil {
		p.OnDemandWrite = u.write
	}
}

// updateWarm raises the throughput that a table is ready for.
func (p *throughput) updateWarm(t *table, x *index, given *WarmThroughput) error {
	u := warmUnits(given)
	if name := u.first(p.tooCold); name != "" {
		return badParameter("Requested %s for WarmThroughput for %s is lower than current WarmThroughput, decreasing WarmThroughput is not supported", name, of(x, " "))
	}
	if err := u.checkMost(t, x, " "); err != nil {
		return err
	}
	p.warm(given)
	return nil
}

// updateOnDemand changes the maximum of on-demand requests, member by member; -1 takes it away. The member stays -1 until
// settleOnDemand, so that the answer shows it, as AWS's does.
func (p *throughput) updateOnDemand(t *table, x *index, given *OnDemandThroughput) error {
	u := onDemandUnits(given)
	if t.Billing != BillingModePayPerRequest {
		if name := u.first(func(int64, bool) bool { return true }); name != "" {
			if x != nil {
				return badParameter("%s for OnDemandThroughput for index : %s cannot be specified when the table BillingMode is PROVISIONED", name, x.Name)
			}
			return badParameter("%s for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED", name)
		}
	}
	if name := u.first(func(n int64, _ bool) bool { return n < 1 && n != -1 }); name != "" {
		return badParameter("Requested %s for OnDemandThroughput for %s is outside of valid range", name, of(x, " : "))
	}
	if err := u.checkMost(t, x, " : "); err != nil {
		return err
	}
	p.limit(given)
	return nil
}

// settleOnDemand forgets the members that were taken away.
func (p *throughput) settleOnDemand() {
	if p.OnDemandRead != nil && *p.OnDemandRead < 0 {
		p.OnDemandRead = nil
	}
	if p.OnDemandWrite != nil && *p.OnDemandWrite < 0 {
		p.OnDemandWrite = nil
	}
}

// How often provisioned throughput may be decreased: so often on a day in UTC, and then once in an interval.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#decrease-provisioned-throughput
const (
	freeDecreases    = 4
	decreaseInterval = time.Hour
)

// change sets provisioned throughput anew and remembers when it rose and fell. What it is ready for never falls.
func (p *throughput) change(t *table, x *index, given *ProvisionedThroughput, now time.Time) error {
	if err := checkCapacity(t, x, given); err != nil {
		return err
	}
	read, write := *given.ReadCapacityUnits, *given.WriteCapacityUnits
	if read < p.Read || write < p.Write {
		if err := p.checkDecrease(now); err != nil {
			return err
		}
		p.decreased(now)
	}
	if read > p.Read || write > p.Write {
		p.Increased = &now
	}
	p.Read, p.Write = read, write
	p.WarmRead, p.WarmWrite = max(p.WarmRead, read), max(p.WarmWrite, write)
	return nil
}

// decreased counts a decrease.
func (p *throughput) decreased(now time.Time) {
	p.Decreases = p.decreasesToday(now) + 1
	p.Decreased = &now
}

func (p *throughput) decreasesToday(now time.Time) int64 {
	if p.Decreased == nil || !sameDay(*p.Decreased, now) {
		return 0
	}
	return p.Decreases
}

// checkDecrease refuses too many decreases on a day.
func (p *throughput) checkDecrease(now time.Time) error {
	n := p.decreasesToday(now)
	if n < freeDecreases || !now.Before(p.Decreased.Add(decreaseInterval)) {
		return nil
	}
	next := p.Decreased.Add(decreaseInterval)
	if midnight := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour); midnight.Before(next) {
		next = midnight
	}
	const format = "Monday, January 2, 2006 at 3:04:05 PM"
	return errLimitExceededException("Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "+
		"After the first %d decreases, each subsequent decrease in the same UTC day can be performed at most once every %d seconds. "+
		"Number of decreases today: %d. Last decrease at %s Coordinated Universal Time. Next decrease can be made at %s Coordinated Universal Time",
		freeDecreases, int(decreaseInterval.Seconds()), n, p.Decreased.UTC().Format(format), next.UTC().Format(format))
}

func (p *throughput) equals(given *ProvisionedThroughput) bool {
	return p.Read == *given.ReadCapacityUnits && p.Write == *given.WriteCapacityUnits
}

// unchanged is the answer to what would change nothing.
func (p *throughput) unchanged(x *index, given *ProvisionedThroughput) *wire.Error {
	one, two := "the table", "the table"
	if x != nil {
		one, two = "the index "+x.Name, "index "+x.Name
	}
	return errValidation(msgUnchanged, one, two, p.Read, *given.ReadCapacityUnits, p.Write, *given.WriteCapacityUnits)
}

// provisioned describes the provisioned throughput, which is zero on demand.
func (p *throughput) provisioned(now time.Time) *ProvisionedThroughputDescription {
	return &ProvisionedThroughputDescription{
		LastIncreaseDateTime: p.Increased, LastDecreaseDateTime: p.Decreased,
		NumberOfDecreasesToday: new(p.decreasesToday(now)), ReadCapacityUnits: new(p.Read), WriteCapacityUnits: new(p.Write),
	}
}

// onDemand describes the maximum of on-demand requests, nil if there is none.
func (p *throughput) onDemand() *OnDemandThroughput {
	if p.OnDemandRead == nil && p.OnDemandWrite == nil {
		return nil
	}
	return &OnDemandThroughput{MaxReadRequestUnits: p.OnDemandRead, MaxWriteRequestUnits: p.OnDemandWrite}
}

// ready is the throughput, in units a second, that a table is ready for at once.
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
