package backendtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// brokenSharing breaks what several instances rely on.
func brokenSharing() []brokenBackend {
	var all []brokenBackend
	for _, list := range [][]brokenTwist{
		brokenClaims(), brokenFences(), brokenInstances(), brokenLeases(), brokenPendingQueries(), brokenKeys(), brokenSlots(), brokenMessages(),
		brokenNotifiers(), brokenStates(), brokenSeries(), brokenRest(),
	} {
		for _, t := range list {
			all = append(all, brokenBackend{t.name, t.topic, func(b *memory.Backend) taskflow.Backend { return twist(b, t.change) }})
		}
	}
	return all
}

type brokenTwist struct {
	name, topic string
	change      func(*twisted)
}

func nothing(*twisted) {}

func brokenClaims() []brokenTwist {
	return []brokenTwist{
		{"claims in reverse", "claim/the smallest ids first, up to the limit", func(t *twisted) {
			t.claim = func(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
				rows, err := t.Backend.Claim(ctx, owner, names, limit)
				slices.Reverse(rows)
				return rows, err
			}
		}},
		{"claims one too many", "claim/the smallest ids first, up to the limit", func(t *twisted) {
			t.claim = func(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
				return t.Backend.Claim(ctx, owner, names, limit+1)
			}
		}},
		{"never looks back", "claim/nothing free is left behind", func(t *twisted) {
			last := ""
			t.claim = func(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
				rows, err := t.Backend.Claim(ctx, owner, names, limit)
				rows = slices.DeleteFunc(rows, func(r taskflow.Record) bool { return r.ID < last })
				if len(rows) > 0 {
					last = rows[len(rows)-1].ID
				}
				return rows, err
			}
		}},
		{"folds names", "claim/only of the given names", func(t *twisted) {
			t.claim = func(ctx context.Context, owner string, list []string, limit int) ([]taskflow.Record, error) {
				rows, err := t.LoadPending(ctx)
				for _, name := range names(rows) {
					if slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) }) {
						list = append(list, name)
					}
				}
				if err != nil {
					return nil, err
				}
				return t.Backend.Claim(ctx, owner, list, limit)
			}
		}},
		{"claims without arguments", "claim/what is claimed comes whole, and once", func(t *twisted) {
			t.claim = func(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
				rows, err := t.Backend.Claim(ctx, owner, names, limit)
				for i := range rows {
					rows[i].Args = nil
				}
				return rows, err
			}
		}},
		{"claims from owners", "claim/a row that somebody holds is not claimed", func(t *twisted) {
			t.claim = func(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
				if _, err := t.Expire(ctx); err != nil {
					return nil, err
				}
				return t.Backend.Claim(ctx, owner, names, limit)
			}
		}},
	}
}

func saveWithout(t *twisted, drop func(r taskflow.Record, pending, history []taskflow.Record) bool) {
	t.save = func(ctx context.Context, records []taskflow.Record) (int, error) {
		pending, err := t.LoadPending(ctx)
		history, errHistory := t.Load(ctx)
		if err = errors.Join(err, errHistory); err != nil {
			return 0, err
		}
		left := slices.DeleteFunc(slices.Clone(records), func(r taskflow.Record) bool { return drop(r, pending, history) })
		return t.Backend.Save(ctx, left)
	}
}

func find(records []taskflow.Record, id string) (r taskflow.Record, ok bool) {
	i := slices.IndexFunc(records, func(r taskflow.Record) bool { return r.ID == id })
	if i < 0 {
		return r, false
	}
	return records[i], true
}

func brokenFences() []brokenTwist {
	withoutOwners := func(t *twisted) {
		t.save = func(ctx context.Context, records []taskflow.Record) (int, error) {
			records = slices.Clone(records)
			for i := range records {
				records[i].Owner = ""
			}
			return t.Backend.Save(ctx, records)
		}
	}
	swallows := func(t *twisted) {
		t.putPending = func(ctx context.Context, records []taskflow.Record) error {
			if err := t.Backend.PutPending(ctx, records); !errors.Is(err, taskflow.ErrLeaseLost) {
				return err
			}
			return nil
		}
	}
	return []brokenTwist{
		{"saves the end of another's task", "fence/the end of another's task is left out", func(t *twisted) {
			t.save = func(ctx context.Context, records []taskflow.Record) (int, error) {
				if _, err := t.Expire(ctx); err != nil {
					return 0, err
				}
				return t.Backend.Save(ctx, records)
			}
		}},
		{"asks nobody who saves", "fence/what another has finished stays", withoutOwners},
		{"asks nobody who saves", "fence/one of eight finishes a task", withoutOwners},
		{"refuses who held a row", "fence/who held a row that is free may still finish it", func(t *twisted) {
			saveWithout(t, func(r taskflow.Record, pending, _ []taskflow.Record) bool {
				row, ok := find(pending, r.ID)
				return ok && row.Owner == "" && r.Owner != ""
			})
		}},
		{"saves once", "fence/its owner saves again", func(t *twisted) {
			saveWithout(t, func(r taskflow.Record, _, history []taskflow.Record) bool { _, ok := find(history, r.ID); return ok })
		}},
		{"refuses records without owner", "fence/a record without owner is always written", func(t *twisted) {
			saveWithout(t, func(r taskflow.Record, pending, _ []taskflow.Record) bool {
				row, ok := find(pending, r.ID)
				return ok && row.Owner != r.Owner
			})
		}},
		{"says nothing of a lost lease", "fence/a finished task is not pending again", swallows},
		{"says nothing of a lost lease", "fence/one of eight gets a free row", swallows},
		{"tells handles not apart", "fence/a snapshot leaves what another instance holds", nothing},
	}
}

func brokenInstances() []brokenTwist {
	list := func(t *twisted, change func([]taskflow.Instance)) {
		t.instances = func(ctx context.Context) ([]taskflow.Instance, error) {
			all, err := t.Backend.Instances(ctx)
			change(all)
			return all, err
		}
	}
	return []brokenTwist{
		{"loses live tasks", "instances/every field comes back", func(t *twisted) {
			list(t, func(all []taskflow.Instance) {
				for i := range all {
					all[i].Live = nil
				}
			})
		}},
		{"believes what instances say of their lease", "instances/every field comes back", func(t *twisted) {
			list(t, func(all []taskflow.Instance) {
				for i := range all {
					all[i].ExpiresAt = base
				}
			})
		}},
		{"lists in reverse", "instances/in the order of their ids", func(t *twisted) { list(t, slices.Reverse) }},
		{"renews nothing", "instances/renewing replaces and prolongs", func(t *twisted) {
			t.renew = func(ctx context.Context, i taskflow.Instance, _ time.Duration) error {
				all, err := t.Instances(ctx)
				if !slices.ContainsFunc(all, func(o taskflow.Instance) bool { return o.ID == i.ID }) {
					return errors.Join(err, taskflow.ErrLeaseLost)
				}
				return err
			}
		}},
		{"renews whoever asks", "instances/who has left cannot renew", func(t *twisted) { t.renew = t.Backend.Join }},
		{"trusts the clocks of instances", "instances/their own clocks decide nothing", func(t *twisted) {
			t.renew = func(ctx context.Context, i taskflow.Instance, _ time.Duration) error {
				return t.Backend.Renew(ctx, i, time.Until(i.ExpiresAt))
			}
		}},
	}
}

// holdAgain gives rows back to the owners that they had before.
func holdAgain(ctx context.Context, t *twisted, before []taskflow.Record) error {
	for _, r := range before {
		if err := t.Backend.PutPending(ctx, []taskflow.Record{r}); err != nil {
			return err
		}
	}
	return nil
}

func brokenLeases() []brokenTwist {
	expire := func(t *twisted, keep func(removed []string) bool) {
		t.expire = func(ctx context.Context) ([]string, error) {
			before, err := t.LoadPending(ctx)
			if err != nil {
				return nil, err
			}
			removed, err := t.Backend.Expire(ctx)
			if err != nil || !keep(removed) {
				return removed, err
			}
			return removed, holdAgain(ctx, t, before)
		}
	}
	return []brokenTwist{
		{"expires without freeing", "leases/one that ends frees the tasks, and fences", func(t *twisted) {
			expire(t, func([]string) bool { return true })
		}},
		{"frees everything", "leases/one that ends frees the tasks, and fences", func(t *twisted) {
			t.expire = func(ctx context.Context) ([]string, error) {
				removed, err := t.Backend.Expire(ctx)
				rows, errRows := t.LoadPending(ctx)
				for i := range rows {
					rows[i].Owner = ""
				}
				_, errSave := t.SavePending(ctx, rows)
				return removed, errors.Join(err, errRows, errSave)
			}
		}},
		{"lets nobody be late", "leases/one that is over can be renewed until it is removed", func(t *twisted) {
			t.renew = func(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
				if _, err := t.Expire(ctx); err != nil {
					return err
				}
				return t.Backend.Renew(ctx, i, ttl)
			}
		}},
		{"leaves without freeing", "leases/leaving frees the tasks", func(t *twisted) {
			t.leave = func(ctx context.Context, id string) error {
				before, err := t.LoadPending(ctx)
				return errors.Join(err, t.Backend.Leave(ctx, id), holdAgain(ctx, t, before))
			}
		}},
		{"knows members only", "leases/tasks of owners that never joined are freed", func(t *twisted) {
			expire(t, func(removed []string) bool { return len(removed) == 0 })
		}},
		{"tells twice", "leases/eight that expire remove each once", func(t *twisted) {
			t.expire = func(ctx context.Context) ([]string, error) {
				removed, err := t.Backend.Expire(ctx)
				return append(removed, removed...), err
			}
		}},
		{"judges by the times of records", "leases/times of records decide nothing", func(t *twisted) {
			t.expire = func(ctx context.Context) ([]string, error) {
				removed, err := t.Backend.Expire(ctx)
				rows, errRows := t.LoadPending(ctx)
				rows = slices.DeleteFunc(rows, func(r taskflow.Record) bool { return time.Since(r.StartTime) < 30*time.Minute })
				for i := range rows {
					rows[i].Owner = ""
				}
				_, errSave := t.SavePending(ctx, rows)
				return removed, errors.Join(err, errRows, errSave)
			}
		}},
	}
}
