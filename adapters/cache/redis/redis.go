// Package redis keeps an HTTP cache in Redis, Valkey or whatever else speaks their protocol, so
// that several machines share what one of them was sent:
//
//	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379"})
//	defer client.Close()
//	s.Mount("https://", cache.New(redis.Store(client, "http:"))(requests.NewHTTPAdapter()))
//
// It is a module of its own, for those who use Redis.
package redis

import (
	"context"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/mountable/requests/adapters/cache"
)

// Store keeps a cache behind client, which is the caller's to close, under keys that begin
// with prefix. Entries expire when they are of no use any more; what else is to go when the
// memory is full is Redis' own business (maxmemory-policy). How long a server that does
// not answer is waited for, client's options say; the cache then does without.
func Store(client goredis.UniversalClient, prefix string) cache.Store {
	return &store{client, prefix}
}

type store struct {
	client goredis.UniversalClient
	prefix string
}

// Get implements [cache.Store].
func (s *store) Get(ctx context.Context, key string) ([]byte, error) {
	data, err := s.client.Get(ctx, s.prefix+key).Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, nil
	}
	return data, err
}

// Set implements [cache.Store].
func (s *store) Set(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	return s.client.Set(ctx, s.prefix+key, data, max(ttl, time.Second)).Err()
}

// Delete implements [cache.Store].
func (s *store) Delete(ctx context.Context, key string) error {
	return s.client.Del(ctx, s.prefix+key).Err()
}
