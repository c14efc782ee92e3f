package cli

import (
	"log/slog"
	"net/url"

	"github.com/taskflow-go/taskflow/backends/redis"
	"github.com/taskflow-go/taskflow/internal/backendurl"
)

// openers are the backends of this build.
func openers() map[backendurl.Kind]opener {
	return map[backendurl.Kind]opener{
		backendurl.Redis: openRedis,
	}
}

// openRedis takes the prefix of the keys out of the URL: ?prefix=shop.
func openRedis(u backendurl.URL, log *slog.Logger) (storage, error) {
	server, prefix, err := take(u.Server(), "prefix")
	if err != nil {
		return nil, err
	}
	opts := []redis.Option{redis.Logger(log)}
	if prefix != "" {
		opts = append(opts, redis.Prefix(prefix))
	}
	return redis.Open(server, opts...), nil
}

// take returns a URL without one of its parameters, and that.
func take(raw, name string) (without, value string, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", "", err // not for what backendurl has read
	}
	q := u.Query()
	value = q.Get(name)
	q.Del(name)
	u.RawQuery = q.Encode()
	return u.String(), value, nil
}
