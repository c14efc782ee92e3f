package dashboard

import (
	"maps"
	"slices"
)

// Routes lists the methods of every path that h serves, for the comparison with the OpenAPI document.
func (h *Handler) Routes() map[string][]string {
	all := map[string][]string{}
	for at, rt := range h.routes.fixed {
		all["/"+at] = slices.Sorted(maps.Keys(rt.methods))
	}
	for rest, rt := range h.routes.byTask {
		all["/{id}"+rest] = slices.Sorted(maps.Keys(rt.methods))
	}
	for first, byRest := range h.routes.below {
		for rest, rt := range byRest {
			all["/"+first+"/{id}"+rest] = slices.Sorted(maps.Keys(rt.methods))
		}
	}
	return all
}
