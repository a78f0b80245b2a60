package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// didYouMean returns `. Did you mean "orders"?` if one of the names is near the given one, else "".
func didYouMean(given string, names []string) string {
	if near := nearest(given, names); near != "" {
		return `. Did you mean "` + near + `"?`
	}
	return ""
}

// Nearest returns the name that was probably meant by a given one, "" if none is near.
func Nearest(given string, names []string) string { return nearest(given, names) }

// nearest returns the name with the smallest edit distance to the given one, if that is at most a third of its length
// (and one at least); "" otherwise. Case does not count.
func nearest(given string, names []string) string {
	best, distance := "", max(1, len([]rune(given))/3)+1
	for _, name := range slices.Sorted(slices.Values(names)) {
		if d := editDistance(strings.ToLower(given), strings.ToLower(name)); d < distance && name != given {
			best, distance = name, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and exchanges of neighbours that turn a into b
// (Levenshtein's distance, with exchanges).
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	d := make([][]int, len(x)+1) // d[i][j] turns the first i of x into the first j of y
	for i := range d {
		d[i] = make([]int, len(y)+1)
		d[i][0] = i
	}
	for j := range y {
		d[0][j+1] = j + 1
	}
	for i := range x {
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			d[i+1][j+1] = min(d[i][j]+cost, d[i][j+1]+1, d[i+1][j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				d[i+1][j+1] = min(d[i+1][j+1], d[i-1][j-1]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}

// nearFile returns `. Did you mean "…"?` with an entry of the folder that the missing path is in, relative to dir as the
// path was; "" if none is near.
func nearFile(dir, path string) string {
	abs := absolute(dir, path)
	entries, err := os.ReadDir(filepath.Dir(abs))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	base := filepath.Base(abs)
	near := nearest(base, names)
	if near == "" { // right but for the extension
		i := slices.IndexFunc(names, func(n string) bool { return stem(n) == stem(base) && n != base })
		if i < 0 {
			return ""
		}
		near = names[i]
	}
	return `. Did you mean "` + filepath.ToSlash(filepath.Join(filepath.Dir(path), near)) + `"?`
}

func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// absolute returns a path of the stack file as an absolute one.
func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// list writes names for a message: "a", "b" or "c".
func list(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = `"` + n + `"`
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
