package domain_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"serverless-websocket/domain"
)

// sized returns messages whose JSON has so many bytes.
func sized(sizes ...int) []domain.Message {
	var messages []domain.Message
	for _, size := range sizes {
		m := domain.Message{ID: "01K4ZQ0000000000000000000A", Seq: 1, Content: domain.Content("1")}
		m.Content = domain.Content(strings.Repeat("1", size-len(m.AppendJSON(nil))+1))
		messages = append(messages, m)
	}
	return messages
}

func TestTurns(t *testing.T) {
	for name, test := range map[string]struct {
		lists [][]domain.Message
		limit int
		want  []int
	}{
		"nothing":              {nil, 1000, []int{}},
		"empty":                {[][]domain.Message{nil, nil}, 1000, []int{0, 0}},
		"all fit":              {[][]domain.Message{sized(199, 199), sized(199)}, 600, []int{2, 1}},
		"a comma too much":     {[][]domain.Message{sized(199, 199), sized(199)}, 599, []int{1, 1}},
		"turns":                {[][]domain.Message{sized(199, 199, 199), sized(199, 199), nil, sized(199)}, 1000, []int{2, 2, 0, 1}},
		"a large first":        {[][]domain.Message{sized(2000), sized(199)}, 1000, []int{0, 1}},
		"large ones alone":     {[][]domain.Message{nil, sized(2000, 150), sized(3000)}, 1000, []int{0, 1, 0}},
		"a large one waits":    {[][]domain.Message{sized(199, 199), sized(2000, 199), sized(199, 199)}, 1000, []int{2, 0, 2}},
		"no room at all":       {[][]domain.Message{nil, sized(199), sized(199)}, -1, []int{0, 1, 0}},
		"a small one after it": {[][]domain.Message{sized(499, 599, 199)}, 1000, []int{1}},
	} {
		if got := domain.Turns(test.lists, test.limit); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// What is taken fits, unless it is one message, and no list has another that would.
func TestTurnsFillTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(150, 3000)
		lists := make([][]domain.Message, rapid.IntRange(0, 5).Draw(t, "lists"))
		for i := range lists {
			lists[i] = sized(rapid.SliceOfN(size, 0, 10).Draw(t, "sizes")...)
		}
		limit := rapid.IntRange(0, 10_000).Draw(t, "limit")
		count, bytes, all := 0, 0, 0
		taken := domain.Turns(lists, limit)
		for i, n := range taken {
			for _, m := range lists[i][:n] {
				bytes += len(m.AppendJSON(nil)) + 1
			}
			count, all = count+n, all+len(lists[i])
		}
		if bytes > limit && count > 1 || count == 0 && all > 0 {
			t.Fatalf("%d of %d messages of %d bytes in %d", count, all, bytes, limit)
		}
		for i, n := range taken {
			if n < len(lists[i]) && bytes+len(lists[i][n].AppendJSON(nil))+1 <= limit {
				t.Fatalf("list %d has another that fits: %v", i, taken)
			}
		}
	})
}
