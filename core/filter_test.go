package taskflow_test

import (
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestFilterMatch(t *testing.T) {
	t.Parallel()
	r := full()
	for name, c := range map[string]struct {
		filter taskflow.Filter
		want   bool
	}{
		"nothing asked":      {taskflow.Filter{}, true},
		"status":             {taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusSuccess, taskflow.StatusFailed}}, true},
		"other status":       {taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusSuccess}}, false},
		"name":               {taskflow.Filter{Name: "send_email"}, true},
		"part of the name":   {taskflow.Filter{Name: "send"}, false},
		"text in name":       {taskflow.Filter{Text: "SEND_"}, true},
		"text in error":      {taskflow.Filter{Text: "550"}, true},
		"text in tag value":  {taskflow.Filter{Text: "é"}, true},
		"text in tag key":    {taskflow.Filter{Text: "script"}, false},
		"beginning of id":    {taskflow.Filter{Text: "019AB1C2-d3"}, true},
		"middle of id":       {taskflow.Filter{Text: "d3e4"}, false},
		"text nowhere":       {taskflow.Filter{Text: "nowhere"}, false},
		"tag":                {taskflow.Filter{Tags: map[string]string{"user": "7"}}, true},
		"tag of any value":   {taskflow.Filter{Tags: map[string]string{"user": ""}}, true},
		"tag, other value":   {taskflow.Filter{Tags: map[string]string{"user": "8"}}, false},
		"one tag is missing": {taskflow.Filter{Tags: map[string]string{"user": "7", "team": ""}}, false},
		"source":             {taskflow.Filter{Source: taskflow.SourceRetry}, true},
		"other source":       {taskflow.Filter{Source: taskflow.SourceManual}, false},
		"since, inclusive":   {taskflow.Filter{Since: r.CreatedAt}, true},
		"since later":        {taskflow.Filter{Since: r.CreatedAt.Add(1)}, false},
		"until, exclusive":   {taskflow.Filter{Until: r.CreatedAt}, false},
		"until later":        {taskflow.Filter{Until: r.CreatedAt.Add(time.Second)}, true},
	} {
		if got := c.filter.Match(&r); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
