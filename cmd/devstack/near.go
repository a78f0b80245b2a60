package main

import "devstack/runtime/config"

// didYouMean returns `; did you mean "x"?` for the known name nearest to the one given, or nothing if none is near.
func didYouMean(name string, known []string) string {
	candidates := known
	for _, k := range known {
		candidates = append(candidates, afterDot(k))
	}
	if near := config.Nearest(name, candidates); near != "" {
		return "; did you mean \"" + near + "\"?"
	}
	return ""
}
