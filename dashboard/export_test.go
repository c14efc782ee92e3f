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
	all["/"+assetsPath+"{file}"] = slices.Sorted(maps.Keys(h.routes.asset.methods))
	for rest, rt := range h.routes.byTask {
		all["/{id}"+rest] = slices.Sorted(maps.Keys(rt.methods))
	}
	for first, byRest := range h.routes.below {
		id := "{id}"
		if first == "schedules" {
			id = "{name}"
		}
		for rest, rt := range byRest {
			all["/"+first+"/"+id+rest] = slices.Sorted(maps.Keys(rt.methods))
		}
	}
	return all
}

// Assets are the names of the files that the pages load, with their packed sizes.
func (h *Handler) Assets() map[string]int {
	all := map[string]int{}
	for name, a := range h.pages.assets {
		all[name] = len(a.packed)
	}
	return all
}

// PageSize is that of the two pages' templates, filled.
func (h *Handler) PageSize() int { return len(h.pages.page) }
