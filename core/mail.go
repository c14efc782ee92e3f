package taskflow

import (
	"context"
	"encoding/json"
)

// message is what instances say to each other.
type message struct {
	Cancel string `json:"cancel,omitempty"` // id of the task to cancel
	Reason string `json:"reason,omitempty"`
}

// CancelMessage is what to [Messenger.Post] so that the instance which holds the task cancels it, as [Manager.Cancel] does with this
// reason (may be empty; at most [MaxReasonBytes] of it are kept). It is for programs that have a backend and no manager.
func CancelMessage(taskID, reason string) []byte {
	body, err := json.Marshal(message{Cancel: taskID, Reason: clip(reason, MaxReasonBytes)})
	if err != nil {
		panic(err) // two texts can always be encoded
	}
	return body
}

// listen does what other instances ask for.
func (p *peers) listen(ctx context.Context) {
	if p.mail == nil {
		return
	}
	const limit = 100
	for {
		bodies, position, err := p.receive(ctx, limit)
		if err != nil {
			return // the heartbeat reports a backend that is away; the position stays
		}
		p.position = position
		for _, body := range bodies {
			var msg message
			if err := json.Unmarshal(body, &msg); err != nil {
				p.m.log.Warn("taskflow: a message of another instance cannot be read", "error", err)
				continue
			}
			if msg.Cancel != "" {
				p.m.cancelHere(msg.Cancel, msg.Reason)
			}
		}
		if len(bodies) < limit {
			return
		}
	}
}

func (p *peers) receive(ctx context.Context, limit int) ([][]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, peersTimeout)
	defer cancel()
	return p.mail.Receive(ctx, p.position, limit)
}
