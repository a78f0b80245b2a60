package elasticache

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// host is where the servers listen: like everything here, on loopback only.
const host = "127.0.0.1"

// Versions that a cluster reports if it was not given one.
//
// https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html
const (
	redisVersion  = "7.1.0"
	valkeyVersion = "8.0.1"
)

// Messages in the service's words.
const (
	// https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html (CacheClusterId's
	// constraints); the wording is a guess.
	msgBadID = "The parameter CacheClusterIdentifier is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
	msgNodes = "Cannot create a Redis cluster with a NumCacheNodes parameter greater than 1." // a guess
)

var identifier = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9-]{0,49}$`) })

// CreateCacheCluster declares a cluster and starts its server: when it answers, the server listens.
//
// Engine is "redis" or "valkey", the latter served by the same Redis; NumCacheNodes is 1; Port is the one to listen on, on
// loopback, or 0 or nothing for a free one. AuthToken becomes the server's password. A parameter that the server could not
// honour is refused by name. CacheClusterAlreadyExists if there is one of that id.
//
// https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html
func (s *Service) CreateCacheCluster(ctx context.Context, in *CreateCacheClusterInput) (*CreateCacheClusterOutput, error) {
	req := wire.From(ctx)
	c, err := newCluster(in)
	if err != nil {
		return nil, err
	}
	s.declared.Lock()
	defer s.declared.Unlock()
	c.ARN, c.Zone, c.Created = req.ARN("elasticache", "cluster:"+c.ID), orElse(c.Zone, req.Region+"a"), s.Clock.Now()
	if err := s.Store.View(func(tx *store.Tx) error {
		if _, taken := clusters.Get(tx, req.Account, req.Region, c.ID); taken {
			return errCacheClusterAlreadyExistsFault("Cache cluster already exists")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if err := s.start(c); err != nil {
		return nil, errInvalidParameterValueException("%v", err)
	}
	if err := s.Store.Update(func(tx *store.Tx) error {
		clusters.Put(tx, *c, req.Account, req.Region, c.ID)
		return nil
	}); err != nil {
		s.stop(c.ARN)
		return nil, err
	}
	return &CreateCacheClusterOutput{CacheCluster: s.describe(c, true)}, nil
}

// newCluster checks the parameters of a CreateCacheCluster.
func newCluster(in *CreateCacheClusterInput) (*cluster, error) {
	if err := refuseUnsupported(in); err != nil {
		return nil, err
	}
	c := &cluster{
		ID: strings.ToLower(deref(in.CacheClusterId)), Engine: orElse(deref(in.Engine), "redis"), EngineVersion: deref(in.EngineVersion),
		NodeType: orElse(deref(in.CacheNodeType), "cache.t3.micro"), AuthToken: deref(in.AuthToken),
		Zone: deref(in.PreferredAvailabilityZone), MaintenanceWindow: orElse(deref(in.PreferredMaintenanceWindow), "sun:05:00-sun:06:00"),
	}
	switch c.Engine {
	case "redis":
		c.EngineVersion = orElse(c.EngineVersion, redisVersion)
	case "valkey":
		c.EngineVersion = orElse(c.EngineVersion, valkeyVersion)
	case "memcached":
		return nil, wire.NotImplemented("elasticache.CreateCacheCluster: Engine memcached is not emulated; redis and valkey are")
	default:
		return nil, errInvalidParameterValueException("Invalid cache engine %s", c.Engine)
	}
	if !identifier().MatchString(c.ID) || strings.HasSuffix(c.ID, "-") || strings.Contains(c.ID, "--") {
		return nil, errInvalidParameterValueException(msgBadID)
	}
	if in.NumCacheNodes != nil && *in.NumCacheNodes != 1 {
		return nil, errInvalidParameterCombinationException(msgNodes)
	}
	if in.Port != nil {
		c.Port = int(*in.Port)
	}
	// What places a cluster in a network means nothing on one machine; it is shown as it was given.
	c.SubnetGroup, c.SecurityGroups = deref(in.CacheSubnetGroupName), in.SecurityGroupIds
	c.KeepsVersion = in.AutoMinorVersionUpgrade != nil && !*in.AutoMinorVersionUpgrade
	return c, nil
}

// refuseUnsupported names the first parameter that would have been stored and not acted on.
func refuseUnsupported(in *CreateCacheClusterInput) error {
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"AZMode", in.AZMode != nil && *in.AZMode != AZModeSingleAz}, {"SnapshotWindow", in.SnapshotWindow != nil},
		{"NetworkType", in.NetworkType != nil && *in.NetworkType != NetworkTypeIpv4}, {"IpDiscovery", in.IpDiscovery != nil && *in.IpDiscovery != IpDiscoveryIpv4},
		{"CacheSecurityGroupNames", len(in.CacheSecurityGroupNames) > 0},
		{"ReplicationGroupId", in.ReplicationGroupId != nil}, {"SnapshotArns", in.SnapshotArns != nil}, {"SnapshotName", in.SnapshotName != nil},
		{"Tags", len(in.Tags) > 0}, {"NotificationTopicArn", in.NotificationTopicArn != nil},
		{"LogDeliveryConfigurations", in.LogDeliveryConfigurations != nil}, {"OutpostMode", in.OutpostMode != nil},
		{"SnapshotRetentionLimit", in.SnapshotRetentionLimit != nil && *in.SnapshotRetentionLimit != 0},
		{"TransitEncryptionEnabled", in.TransitEncryptionEnabled != nil && *in.TransitEncryptionEnabled},
		{"CacheParameterGroupName", in.CacheParameterGroupName != nil && !strings.HasPrefix(*in.CacheParameterGroupName, "default.")},
	} {
		if p.given {
			return wire.NotImplemented("elasticache.CreateCacheCluster: the parameter %s is not emulated", p.name)
		}
	}
	return nil
}

// DeleteCacheCluster stops a cluster's server and forgets it. CacheClusterNotFound if there is none of that id.
//
// https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheCluster.html
func (s *Service) DeleteCacheCluster(ctx context.Context, in *DeleteCacheClusterInput) (*DeleteCacheClusterOutput, error) {
	if in.FinalSnapshotIdentifier != nil {
		return nil, wire.NotImplemented("elasticache.DeleteCacheCluster: the parameter FinalSnapshotIdentifier is not emulated")
	}
	s.declared.Lock()
	defer s.declared.Unlock()
	req := wire.From(ctx)
	id := strings.ToLower(deref(in.CacheClusterId))
	var c cluster
	err := s.Store.Update(func(tx *store.Tx) error {
		var found bool
		if c, found = clusters.Get(tx, req.Account, req.Region, id); !found {
			return notFound(id)
		}
		clusters.Delete(tx, req.Account, req.Region, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.stop(c.ARN)
	out := s.describe(&c, false)
	out.CacheClusterStatus = new("deleting")
	return &DeleteCacheClusterOutput{CacheCluster: out}, nil
}

// DescribeCacheClusters lists clusters by id, or the one of an id, MaxRecords (20 to 100, default 100) at a time. The nodes
// with their endpoints are shown with ShowCacheNodeInfo.
//
// https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheClusters.html
func (s *Service) DescribeCacheClusters(ctx context.Context, in *DescribeCacheClustersInput) (*DescribeCacheClustersOutput, error) {
	req := wire.From(ctx)
	limit := 100
	if in.MaxRecords != nil {
		if limit = int(*in.MaxRecords); limit < 20 || limit > 100 {
			return nil, errInvalidParameterValueException("Invalid MaxRecords value: %d. Must be between 20 and 100.", limit) // a guess
		}
	}
	nodes := in.ShowCacheNodeInfo != nil && *in.ShowCacheNodeInfo
	out := &DescribeCacheClustersOutput{}
	err := s.Store.View(func(tx *store.Tx) error {
		*out = DescribeCacheClustersOutput{CacheClusters: []CacheCluster{}}
		if in.CacheClusterId != nil {
			id := strings.ToLower(*in.CacheClusterId)
			c, found := clusters.Get(tx, req.Account, req.Region, id)
			if !found {
				return notFound(id)
			}
			out.CacheClusters = append(out.CacheClusters, *s.describe(&c, nodes))
			return nil
		}
		page := clusters.All(tx, req.Account, req.Region)
		if in.Marker != nil {
			page = clusters.After(tx, []any{*in.Marker}, req.Account, req.Region)
		}
		for c := range page {
			if len(out.CacheClusters) == limit {
				out.Marker = out.CacheClusters[limit-1].CacheClusterId
				return nil
			}
			out.CacheClusters = append(out.CacheClusters, *s.describe(&c, nodes))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// describe returns a cluster as the API shows it.
func (s *Service) describe(c *cluster, nodes bool) *CacheCluster {
	status := "available"
	if !s.isRunning(c.ARN) {
		status = "incompatible-network" // its port is taken
	}
	out := &CacheCluster{
		ARN: &c.ARN, CacheClusterId: &c.ID, CacheClusterStatus: &status, CacheClusterCreateTime: &c.Created, Engine: &c.Engine,
		EngineVersion: &c.EngineVersion, CacheNodeType: &c.NodeType, NumCacheNodes: new(int32(1)), PreferredAvailabilityZone: &c.Zone,
		PreferredMaintenanceWindow: &c.MaintenanceWindow, AutoMinorVersionUpgrade: new(!c.KeepsVersion), SnapshotRetentionLimit: new(int32(0)),
		AuthTokenEnabled: new(c.AuthToken != ""), TransitEncryptionEnabled: new(false), AtRestEncryptionEnabled: new(false),
		ReplicationGroupLogDeliveryEnabled: new(false), NetworkType: new("ipv4"), IpDiscovery: new("ipv4"),
	}
	if c.SubnetGroup != "" {
		out.CacheSubnetGroupName = &c.SubnetGroup
	}
	for _, id := range c.SecurityGroups {
		out.SecurityGroups = append(out.SecurityGroups, SecurityGroupMembership{SecurityGroupId: &id, Status: new("active")})
	}
	if nodes {
		out.CacheNodes = []CacheNode{{
			CacheNodeId: new("0001"), CacheNodeStatus: &status, CacheNodeCreateTime: &c.Created, ParameterGroupStatus: new("in-sync"),
			CustomerAvailabilityZone: &c.Zone, Endpoint: &Endpoint{Address: new(host), Port: new(int32(c.Port))},
		}}
	}
	return out
}

// notFound is ElastiCache's answer for an unknown id. The wording is a guess.
func notFound(id string) error { return errCacheClusterNotFoundFault("CacheCluster not found: %s", id) }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
