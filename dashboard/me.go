package dashboard

import (
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// me is the answer to GET /me: who asks, what they may do, and what there is here.
type me struct {
	User         string    `json:"user"` // empty without users
	Role         string    `json:"role"`
	Auth         bool      `json:"auth"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"` // of the session
	Title        string    `json:"title"`
	Version      string    `json:"version"` // of taskflow; "" when the program does not tell
	Framework    string    `json:"framework"`
	InstanceID   string    `json:"instance_id"`
	Now          time.Time `json:"now"`
	Capabilities []string  `json:"capabilities"`
}

func (h *Handler) me(w http.ResponseWriter, r *http.Request) error {
	answer := me{
		Role: h.role(r), Auth: h.auth != nil, Title: h.cfg.title, Version: libraryVersion(), Framework: h.cfg.framework,
		InstanceID: h.m.Instance(), Now: time.Now().UTC(), Capabilities: h.capabilities(),
	}
	if s := sessionOf(r); s != nil {
		answer.User, answer.ExpiresAt = s.User, s.expires().UTC()
	}
	return h.answer(w, r, answer)
}

// capabilities says what a page can offer here, beyond what is always there.
func (h *Handler) capabilities() []string {
	all := []string{"series"} // where the backend does not keep them, of this instance since its start
	for _, c := range []struct {
		name  string
		needs taskflow.Capability
	}{
		{"delete", taskflow.CapabilityDeleteRecords}, {"delete_history", taskflow.CapabilityDelete},
		{"submit", taskflow.CapabilityJournal}, {"instances", taskflow.CapabilityInstances}, {"audit", taskflow.CapabilityAudit},
	} {
		if h.m.Capable(c.needs) {
			all = append(all, c.name)
		}
	}
	slices.Sort(all)
	return all
}

const libraryPath = "github.com/taskflow-go/taskflow"

// libraryVersion is the version of taskflow that the program was built with.
func libraryVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if info.Main.Path == libraryPath {
		return info.Main.Version
	}
	for _, d := range info.Deps {
		if d.Path == libraryPath {
			if d.Replace != nil && d.Replace.Version != "" {
				return d.Replace.Version
			}
			return d.Version
		}
	}
	return ""
}
