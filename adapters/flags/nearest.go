package flags

import "strings"

// DidYouMean returns "; did you mean X?" with the name most similar to the wrong one,
// after its prefix, or nothing if none is similar. A truncated name is similar to the
// whole one.
func DidYouMean(wrong, prefix string, names []string) string {
	best, least := "", len(wrong)/2+1 // half of it wrong is a different name
	for _, name := range names {
		d := distance(wrong, name)
		if strings.HasPrefix(name, wrong) {
			d = 1
		}
		if d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + prefix + best + "?"
}

// distance is the Levenshtein distance between the names.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // from the letters of a so far to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
