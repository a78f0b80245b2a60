package dynamodb

import "slices"

// billing changes the billing mode or the provisioned throughput.
func (u *tableUpdate) billing() error {
	given, mode := u.in.ProvisionedThroughput, u.in.BillingMode
	switch {
	case given == nil && mode == nil:
		return nil
	case given == nil && *mode == u.Billing:
		u.status = TableStatusUpdating // for nothing, but that is what AWS answers
		return nil
	}
	if err := u.checkIdle(changeIOPS); err != nil {
		return err
	}
	switch {
	case mode == nil && u.Billing == BillingModePayPerRequest:
		return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case mode == nil || *mode == u.Billing:
		return u.capacity(given)
	case *mode == BillingModePayPerRequest:
		u.payPerRequest()
		return nil
	}
	return u.provision(given)
}

// capacity changes the provisioned throughput.
func (u *tableUpdate) capacity(given *ProvisionedThroughput) error {
	if u.Throughput.equals(given) {
		return u.Throughput.unchanged(nil, given)
	}
	was := u.Throughput
	was.Decreases = was.decreasesToday(u.now)
	if err := u.Throughput.change(u.table, nil, given, u.now); err != nil {
		return err
	}
	u.start(transition{Kind: changingIOPS, Was: reported{Throughput: &was, OnDemandFrom: u.OnDemandFrom}})
	return nil
}

// payPerRequest changes the billing mode. An index's throughput is said to decrease by it, the table's is not.
func (u *tableUpdate) payPerRequest() {
	u.start(transition{Kind: changingIOPS, Was: reported{OnDemandFrom: u.OnDemandFrom}})
	u.Billing, u.OnDemandFrom = BillingModePayPerRequest, &u.now
	u.Throughput.payPerRequest()
	for i := range u.Indexes {
		if x := &u.Indexes[i]; x.Global {
			x.Throughput.payPerRequest()
			x.Throughput.decreased(u.now)
		}
	}
}

func (p *throughput) payPerRequest() {
	p.Read, p.Write = 0, 0
	p.WarmRead, p.WarmWrite = max(p.WarmRead, warmReads), max(p.WarmWrite, warmWrites)
}

// provision changes the billing mode the other way. Each index must be given its throughput in the same call.
func (u *tableUpdate) provision(given *ProvisionedThroughput) error {
	for i := range u.Indexes {
		x := &u.Indexes[i]
		if !x.Global {
			continue
		}
		j := slices.IndexFunc(u.in.GlobalSecondaryIndexUpdates, func(g GlobalSecondaryIndexUpdate) bool {
			return g.Update != nil && *g.Update.IndexName == x.Name && g.Update.ProvisionedThroughput != nil
		})
		if j < 0 {
			return badParameter("ProvisionedThroughput must be specified for index: %s", x.Name)
		}
		x.Throughput.OnDemandRead, x.Throughput.OnDemandWrite = nil, nil
	}
	if err := checkCapacity(u.table, nil, given); err != nil {
		return err
	}
	u.start(transition{Kind: changingIOPS, Was: reported{OnDemandFrom: u.OnDemandFrom}})
	p := &u.Throughput
	u.Billing, p.Read, p.Write = BillingModeProvisioned, *given.ReadCapacityUnits, *given.WriteCapacityUnits
	p.OnDemandRead, p.OnDemandWrite = nil, nil
	p.WarmRead, p.WarmWrite = max(p.WarmRead, p.Read), max(p.WarmWrite, p.Write)
	return nil
}

// onDemand changes the maximum of on-demand requests, at once.
func (u *tableUpdate) onDemand() error {
	switch {
	case u.in.OnDemandThroughput == nil:
		return nil
	case *u.in.OnDemandThroughput == (OnDemandThroughput{}):
		return errUnsaid()
	}
	if u.in.BillingMode == nil {
		if err := u.checkOnDemandIdle(); err != nil {
			return err
		}
	}
	return u.Throughput.updateOnDemand(u.table, nil, u.in.OnDemandThroughput)
}

// settleOnDemand forgets what was taken away by this call.
func (t *table) settleOnDemand() {
	t.Throughput.settleOnDemand()
	for i := range t.Indexes {
		t.Indexes[i].Throughput.settleOnDemand()
	}
}

// warmth raises the throughput that the table is ready for.
func (u *tableUpdate) warmth() error {
	switch {
	case u.in.WarmThroughput == nil:
		return nil
	case *u.in.WarmThroughput == (WarmThroughput{}):
		return errUnsaid()
	}
	was := u.Throughput
	if err := u.Throughput.updateWarm(u.table, nil, u.in.WarmThroughput); err != nil {
		return err
	}
	u.start(transition{Kind: warming, Was: reported{Throughput: &was}})
	return nil
}
