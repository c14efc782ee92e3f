package backendtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func brokenPendingQueries() []brokenTwist {
	query := func(t *twisted, change func(*taskflow.Query)) {
		t.queryPending = func(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
			change(&q)
			return t.Backend.QueryPending(ctx, q)
		}
	}
	return []brokenTwist{
		{"repeats the page", "pending query/newest first, page by page", func(t *twisted) { query(t, func(q *taskflow.Query) { q.Before = "" }) }},
		{"ignores the source", "pending query/each filter alone", func(t *twisted) { query(t, func(q *taskflow.Query) { q.Source = "" }) }},
		{"ignores the source", "pending query/random rows answer like a list", func(t *twisted) { query(t, func(q *taskflow.Query) { q.Source = "" }) }},
		{"lists summaries", "pending query/listings may be short, full ones may not", func(t *twisted) { query(t, func(q *taskflow.Query) { q.Full = false }) }},
		{"finds anything", "pending query/get", func(t *twisted) {
			t.getPending = func(ctx context.Context, id string) (taskflow.Record, error) {
				if r, err := t.Backend.GetPending(ctx, id); !errors.Is(err, taskflow.ErrNotFound) {
					return r, err
				}
				return taskflow.Record{}, nil
			}
		}},
		{"looks into the history", "pending query/finished tasks are not listed", func(t *twisted) {
			t.getPending = func(ctx context.Context, id string) (taskflow.Record, error) {
				if r, err := t.Backend.GetPending(ctx, id); !errors.Is(err, taskflow.ErrNotFound) {
					return r, err
				}
				return t.Get(ctx, id)
			}
		}},
		{"lists without owners", "pending query/who holds a task is told at once", func(t *twisted) {
			t.queryPending = func(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
				p, err := t.Backend.QueryPending(ctx, q)
				for i := range p.Records {
					p.Records[i].Owner = ""
				}
				return p, err
			}
		}},
	}
}

func brokenKeys() []brokenTwist {
	reserve := func(t *twisted, change func(*taskflow.Reservation)) {
		t.reserveKey = func(ctx context.Context, r taskflow.Reservation) (string, error) {
			change(&r)
			return t.Backend.ReserveKey(ctx, r)
		}
	}
	return []brokenTwist{
		{"gives a key to all", "keys/one of eight wins each", func(t *twisted) {
			t.reserveKey = func(_ context.Context, r taskflow.Reservation) (string, error) { return r.TaskID, nil }
		}},
		{"gives a key to the last", "keys/whoever asks is told the holder", func(t *twisted) {
			t.reserveKey = func(ctx context.Context, r taskflow.Reservation) (string, error) {
				holder, err := t.Backend.ReserveKey(ctx, r)
				return holder, errors.Join(err, t.Backend.ReleaseKey(ctx, r.Key, holder))
			}
		}},
		{"folds keys", "keys/any bytes are a key", func(t *twisted) {
			reserve(t, func(r *taskflow.Reservation) { r.Key = strings.TrimSpace(r.Key) })
		}},
		{"ends keys at a zero byte", "keys/any bytes are a key", func(t *twisted) {
			reserve(t, func(r *taskflow.Reservation) { r.Key, _, _ = strings.Cut(r.Key, "\x00") })
		}},
		{"keeps keys for ever", "keys/retention ends", func(t *twisted) { reserve(t, func(r *taskflow.Reservation) { r.Retention = time.Hour }) }},
		{"releases for anybody", "keys/only their task releases them", func(t *twisted) {
			t.releaseKey = func(ctx context.Context, key, taskID string) error {
				holder, err := t.ReserveKey(ctx, taskflow.Reservation{Key: key, TaskID: taskID, Retention: time.Hour})
				return errors.Join(err, t.Backend.ReleaseKey(ctx, key, holder))
			}
		}},
		{"releases what others have", "keys/many are released together", func(t *twisted) {
			t.releaseKeys = func(ctx context.Context, held []taskflow.Reservation) error {
				held = slices.Clone(held)
				for i := range held {
					holder, err := t.ReserveKey(ctx, held[i])
					if err != nil && held[i].TaskID != "" && held[i].TaskID != "no id" {
						return err
					}
					held[i].TaskID = holder
				}
				return t.Backend.ReleaseKeys(ctx, held)
			}
		}},
		{"forgets no instance", "keys/a task that was lost frees its key", func(t *twisted) {
			t.leave = func(context.Context, string) error { return nil }
		}},
		{"gives keys of gone instances away", "keys/a task that was lost frees its key", func(t *twisted) {
			t.leave = func(ctx context.Context, id string) error {
				return errors.Join(t.Backend.Leave(ctx, id), t.Backend.ReleaseKey(ctx, "finished", waiting(3).ID))
			}
		}},
		{"waits for the release", "keys/a failed task's key is free without ReleaseKey", func(t *twisted) {
			var first sync.Map // who was given a key
			t.reserveKey = func(ctx context.Context, r taskflow.Reservation) (string, error) {
				holder, err := t.Backend.ReserveKey(ctx, r)
				if had, known := first.LoadOrStore(r.Key, holder); known {
					return had.(string), err
				}
				return holder, err
			}
		}},
		{"frees keys of successes", "keys/a failed task's key is free without ReleaseKey", func(t *twisted) {
			t.save = func(ctx context.Context, records []taskflow.Record) (int, error) {
				n, err := t.Backend.Save(ctx, records)
				for _, r := range records {
					err = errors.Join(err, t.Backend.ReleaseKey(ctx, r.Key, r.ID))
				}
				return n, err
			}
		}},
		{"keeps the first owner", "keys/their task reserves them anew", func(t *twisted) {
			var owners sync.Map
			reserve(t, func(r *taskflow.Reservation) {
				first, _ := owners.LoadOrStore(r.TaskID, r.Owner)
				r.Owner = first.(string)
			})
		}},
		{"keeps the first retention", "keys/their task reserves them anew", func(t *twisted) {
			var kept sync.Map
			reserve(t, func(r *taskflow.Reservation) {
				first, _ := kept.LoadOrStore(r.TaskID, r.Retention)
				r.Retention = first.(time.Duration)
			})
		}},
		{"puts tasks whose keys were given away", "keys/a task whose key was given away is not put", func(t *twisted) {
			t.putPending = func(ctx context.Context, records []taskflow.Record) error {
				records = slices.Clone(records)
				for i := range records {
					records[i].Key = ""
				}
				return t.Backend.PutPending(ctx, records)
			}
		}},
		{"refuses rows that it has", "keys/a task whose key was given away is not put", func(t *twisted) {
			t.putPending = func(ctx context.Context, records []taskflow.Record) error {
				for _, r := range records {
					if r.Key == "report" && r.Attempts > 0 {
						return taskflow.ErrLeaseLost
					}
				}
				return t.Backend.PutPending(ctx, records)
			}
		}},
		{"forgets at Close", "keys/survive a restart", nothing},
	}
}

func brokenSlots() []brokenTwist {
	return []brokenTwist{
		{"gives a slot to all", "slots/one of eight wins each of a hundred", func(t *twisted) {
			t.takeSlot = func(context.Context, string, time.Time) (bool, error) { return true, nil }
		}},
		{"knows each slot by itself", "slots/an older one never after a newer", func(t *twisted) {
			var taken sync.Map
			t.takeSlot = func(_ context.Context, schedule string, slot time.Time) (bool, error) {
				_, known := taken.LoadOrStore(schedule+slot.UTC().Truncate(time.Microsecond).String(), true)
				return !known, nil
			}
		}},
		{"knows one schedule", "slots/schedules do not concern each other", func(t *twisted) {
			t.takeSlot = func(ctx context.Context, _ string, slot time.Time) (bool, error) {
				return t.Backend.TakeSlot(ctx, "", slot)
			}
		}},
		{"forgets at Close", "slots/survive a restart", nothing},
	}
}

func brokenMessages() []brokenTwist {
	return []brokenTwist{
		{"shows the newest first", "messages/oldest first, from a position on", func(t *twisted) {
			t.receive = func(ctx context.Context, after string, limit int) ([][]byte, string, error) {
				bodies, position, err := t.Backend.Receive(ctx, after, limit)
				slices.Reverse(bodies)
				return bodies, position, err
			}
		}},
		{"drops some", "messages/none of eight posters is lost", func(t *twisted) {
			var n atomic.Int64
			t.post = func(ctx context.Context, body []byte) error {
				if n.Add(1)%100 == 0 {
					return nil
				}
				return t.Backend.Post(ctx, body)
			}
		}},
		{"cuts them", "messages/64 KB of any bytes", func(t *twisted) {
			t.post = func(ctx context.Context, body []byte) error { return t.Backend.Post(ctx, body[:min(len(body), 65535)]) }
		}},
	}
}

func brokenNotifiers() []brokenTwist {
	sleeps := func(t *twisted) {
		t.notify = func(ctx context.Context, _ func()) error {
			<-ctx.Done()
			return ctx.Err()
		}
	}
	return []brokenTwist{
		{"sleeps", "notify/soon after a message", sleeps},
		{"sleeps", "notify/soon after tasks became free", sleeps},
		{"wakes for snapshots only", "notify/soon after tasks became free", func(t *twisted) {
			t.notify = func(ctx context.Context, wake func()) error {
				return t.Backend.Notify(ctx, func() {
					rows, err := t.LoadPending(ctx)
					if err == nil && len(rows) == 1 { // a snapshot has one row, other rows come in addition
						wake()
					}
				})
			}
		}},
		{"keeps its end to itself", "notify/ends with its context", func(t *twisted) {
			t.notify = func(ctx context.Context, wake func()) error {
				if err := t.Backend.Notify(ctx, wake); !errors.Is(err, context.Canceled) {
					return err
				}
				return nil
			}
		}},
		{"sleeps", "notify/ends with Close", sleeps},
	}
}

func brokenRest() []brokenTwist {
	return []brokenTwist{
		{"ends text at a zero byte", "text/a zero byte is refused or comes back", func(t *twisted) {
			t.save = func(ctx context.Context, records []taskflow.Record) (int, error) {
				records = slices.Clone(records)
				for i := range records {
					records[i].Error, _, _ = strings.Cut(records[i].Error, "\x00")
				}
				return t.Backend.Save(ctx, records)
			}
		}},
		{"returns local times", "times/of unfinished tasks come back in UTC", func(t *twisted) {
			t.loadPending = func(ctx context.Context) ([]taskflow.Record, error) {
				all, err := t.Backend.LoadPending(ctx)
				for i := range all {
					all[i].RunAt = all[i].RunAt.In(time.FixedZone("local", 3600))
				}
				return all, err
			}
		}},
		{"saves a few hundred at most", "large/ten thousand finished records in one call", func(t *twisted) {
			t.save = func(ctx context.Context, records []taskflow.Record) (int, error) {
				_, err := t.Backend.Save(ctx, records[:min(len(records), 999)])
				return len(records), err
			}
		}},
		{"journals a few hundred at most", "large/ten thousand unfinished records in one call", func(t *twisted) {
			t.putPending = func(ctx context.Context, records []taskflow.Record) error {
				return t.Backend.PutPending(ctx, records[:min(len(records), 999)])
			}
		}},
		{"hides why it ended", "context/one that ends in the middle of any call is told", func(t *twisted) {
			t.savePending = func(ctx context.Context, records []taskflow.Record) (int, error) {
				if at, ok := ctx.Deadline(); ok && time.Until(at) < time.Second {
					<-ctx.Done()
					return 0, errors.New("interrupted")
				}
				return t.Backend.SavePending(ctx, records)
			}
		}},
		{"waits for ever after Close", "close/during use ends every call, and loses nothing", func(t *twisted) {
			t.loadPending = func(ctx context.Context) ([]taskflow.Record, error) {
				all, err := t.Backend.LoadPending(ctx)
				if errors.Is(err, memory.ErrClosed) {
					<-ctx.Done()
				}
				return all, err
			}
		}},
		{"loses what it accepted", "close/during use ends every call, and loses nothing", nothing},
	}
}
