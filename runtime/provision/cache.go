package provision

import (
	"context"

	"devstack/runtime/config"
)

// applyCache creates a cluster. AWS cannot change a cluster's engine or port; what a cache holds may be lost at any
// time, so it is made anew. So is one that does not run, such as one whose port another program has taken meanwhile.
func (p *Provisioner) applyCache(ctx context.Context, c *config.Cache) error {
	var out struct {
		CacheClusters []struct {
			Engine             string
			CacheClusterStatus string
			CacheNodes         []struct{ Endpoint struct{ Port int } }
		}
	}
	err := p.call(ctx, "elasticache", "DescribeCacheClusters", object{"CacheClusterId": c.Name, "ShowCacheNodeInfo": true}, &out)
	if err != nil && !is(err, "CacheClusterNotFound") {
		return err
	}
	if err == nil && len(out.CacheClusters) > 0 {
		have := out.CacheClusters[0]
		if have.Engine == c.Engine && have.CacheClusterStatus == "available" && len(have.CacheNodes) > 0 && have.CacheNodes[0].Endpoint.Port == c.Port {
			return nil
		}
		if err := p.call(ctx, "elasticache", "DeleteCacheCluster", object{"CacheClusterId": c.Name}, nil); err != nil {
			return err
		}
	}
	if err := p.create(ctx, c); err != nil {
		return err
	}
	return p.until(ctx, func() (bool, error) {
		var now struct {
			CacheClusters []struct{ CacheClusterStatus string }
		}
		err := p.call(ctx, "elasticache", "DescribeCacheClusters", object{"CacheClusterId": c.Name}, &now)
		return err == nil && len(now.CacheClusters) > 0 && now.CacheClusters[0].CacheClusterStatus == "available", err
	})
}

// create asks for the cluster, again while one of that name is being deleted.
func (p *Provisioner) create(ctx context.Context, c *config.Cache) error {
	return p.until(ctx, func() (bool, error) {
		err := p.call(ctx, "elasticache", "CreateCacheCluster", object{
			"CacheClusterId": c.Name, "Engine": c.Engine, "Port": c.Port, "NumCacheNodes": 1, "CacheNodeType": "cache.t3.micro",
		}, nil)
		if is(err, "CacheClusterAlreadyExists") {
			return false, nil
		}
		return err == nil, err
	})
}
