package elasticache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
)

// open returns a service on a store in a folder, so that a second one can take over its state.
func open(t *testing.T, dir string, c clock.Clock) *Service {
	t.Helper()
	st := store.New(filepath.Join(dir, "elasticache.db"), store.Options{})
	_, s := New(kit.Env{Store: st, Clock: c, Log: slog.New(slog.DiscardHandler), IDs: kit.SeededIDs(1)})
	t.Cleanup(func() { s.Close(); st.Close() })
	return s
}

func create(t *testing.T, s *Service, id string) *goredis.Client {
	t.Helper()
	if _, err := s.CreateCacheCluster(t.Context(), &CreateCacheClusterInput{CacheClusterId: &id}); err != nil {
		t.Fatal(err)
	}
	return client(t, s, id)
}

// client connects to a cluster as DescribeCacheClusters announces it.
func client(t *testing.T, s *Service, id string) *goredis.Client {
	t.Helper()
	out, err := s.DescribeCacheClusters(t.Context(), &DescribeCacheClustersInput{CacheClusterId: &id, ShowCacheNodeInfo: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	ep := out.CacheClusters[0].CacheNodes[0].Endpoint
	c := goredis.NewClient(&goredis.Options{Addr: fmt.Sprintf("%s:%d", *ep.Address, *ep.Port)})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestKeysExpireByOurClock(t *testing.T) {
	c := clock.Fixed(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	r := create(t, open(t, t.TempDir(), c), "sessions")
	ctx := context.Background()
	if err := r.Set(ctx, "k", "v", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Hour - time.Second)
	if ttl := r.TTL(ctx, "k").Val(); ttl != time.Second {
		t.Errorf("one second before its end the key lives for another %v", ttl)
	}
	c.Advance(time.Second)
	if err := r.Get(ctx, "k").Err(); !errors.Is(err, goredis.Nil) {
		t.Errorf("at its instant the key is still there: %v", err)
	}
	if now := r.Time(ctx).Val(); !now.Equal(c.Now()) {
		t.Errorf("TIME answers %v, the clock stands at %v", now, c.Now())
	}
}

func TestClustersOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, clock.System())
	create(t, first, "sessions")
	first.Close()
	first.Store.Close()

	second := open(t, dir, clock.System())
	if err := second.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := client(t, second, "sessions").Ping(t.Context()).Err(); err != nil {
		t.Errorf("after a restart the server does not answer: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	s := open(t, t.TempDir(), clock.System())
	create(t, s, "taken")
	for _, tt := range []struct {
		name string
		in   CreateCacheClusterInput
		code string
		says string
	}{
		{"an id that is taken", CreateCacheClusterInput{CacheClusterId: new("taken")}, "CacheClusterAlreadyExistsFault", "already exists"},
		{"an id that ends with a hyphen", CreateCacheClusterInput{CacheClusterId: new("a-")}, "InvalidParameterValueException", "must not end with a hyphen"},
		{"two nodes of Redis", CreateCacheClusterInput{CacheClusterId: new("a"), NumCacheNodes: new(int32(2))}, "InvalidParameterCombinationException", "greater than 1"},
		{"memcached", CreateCacheClusterInput{CacheClusterId: new("a"), Engine: new("memcached")}, "NotImplemented", "memcached"},
		{"a parameter that we would not act on", CreateCacheClusterInput{CacheClusterId: new("a"), SnapshotName: new("s")}, "NotImplemented", "SnapshotName"},
		{"a second address family", CreateCacheClusterInput{CacheClusterId: new("a"), NetworkType: new(NetworkTypeDualStack)}, "NotImplemented", "NetworkType"},
		{"an engine that there is not", CreateCacheClusterInput{CacheClusterId: new("a"), Engine: new("redsi")}, "InvalidParameterValueException", "redsi"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.CreateCacheCluster(t.Context(), &tt.in)
			var e *wire.Error
			if !errors.As(err, &e) || e.Code != tt.code || !strings.Contains(e.Message, tt.says) {
				t.Errorf("got %v, want %s with %q", err, tt.code, tt.says)
			}
		})
	}
}

func TestDeleteStopsTheServer(t *testing.T) {
	s := open(t, t.TempDir(), clock.System())
	r := create(t, s, "sessions")
	if _, err := s.DeleteCacheCluster(t.Context(), &DeleteCacheClusterInput{CacheClusterId: new("sessions")}); err != nil {
		t.Fatal(err)
	}
	if err := r.Ping(t.Context()).Err(); err == nil {
		t.Error("the server of a deleted cluster answers")
	}
	_, err := s.DescribeCacheClusters(t.Context(), &DescribeCacheClustersInput{CacheClusterId: new("sessions")})
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != "CacheClusterNotFoundFault" {
		t.Errorf("got %v, want CacheClusterNotFoundFault", err)
	}
}

func TestOneOfManyMakersWins(t *testing.T) {
	s := open(t, t.TempDir(), clock.System())
	var wg sync.WaitGroup
	var made atomic.Int32
	for range 20 {
		wg.Go(func() {
			if _, err := s.CreateCacheCluster(t.Context(), &CreateCacheClusterInput{CacheClusterId: new("raced")}); err == nil {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d clusters of one id", made.Load())
	}
}
