package redis_test

import (
	"log"
	"os"

	goredis "github.com/redis/go-redis/v9"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// The usual way: a URL, which has the password in it and therefore comes from the environment.
func ExampleOpen() {
	m, err := taskflow.New(taskflow.WithBackend(redis.Open(os.Getenv("REDIS_URL"), redis.Prefix("shop"))))
	if err != nil {
		log.Fatal(err)
	}
	_ = m // m.Start connects
}

// A client of one's own, here for a primary that sentinels know.
func ExampleOpenClient() {
	client := goredis.NewFailoverClient(&goredis.FailoverOptions{
		MasterName:    "tasks",
		SentinelAddrs: []string{"sentinel1:26379", "sentinel2:26379", "sentinel3:26379"},
		MaxRetries:    -1, // the manager tries again
	})
	defer client.Close() // after the manager has stopped
	m, err := taskflow.New(taskflow.WithBackend(redis.OpenClient(client)))
	if err != nil {
		log.Print(err)
		return
	}
	_ = m
}
