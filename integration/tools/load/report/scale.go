package report

import (
	"fmt"
	"math"
)

// scale places values along an axis: 0 is its start, 1 its end.
type scale struct {
	place func(value float64) float64
	ticks []tick
}

// tick is a labelled place on an axis.
type tick struct {
	At    float64 // 0 to 1
	Label string
}

// linear goes from 0 to at least most.
func linear(most float64, label func(float64) string) scale {
	step := niceStep(most / 5)
	top := step * max(1, math.Ceil(most/step))
	s := scale{place: func(v float64) float64 { return v / top }}
	for i := 0; float64(i)*step <= top*1.0001; i++ {
		v := float64(i) * step
		s.ticks = append(s.ticks, tick{s.place(v), label(v)})
	}
	return s
}

// exactly goes from 0 to most, and not beyond.
func exactly(most float64, label func(float64) string) scale {
	step := niceStep(most / 8)
	s := scale{place: func(v float64) float64 { return v / most }}
	for i := 0; float64(i)*step <= most; i++ {
		v := float64(i) * step
		s.ticks = append(s.ticks, tick{s.place(v), label(v)})
	}
	return s
}

// niceStep is the smallest of 1, 2 and 5 times a power of ten that is at least this
// large.
func niceStep(least float64) float64 {
	if least <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= least*0.9999 {
			return factor * power
		}
	}
	return 10 * power
}

// logarithmic goes from at most least to at least most, both above 0, with a tick at 1, 2
// and 5 times each power of ten. If it spans more than three, it covers whole powers and
// only has ticks there.
func logarithmic(least, most float64, label func(float64) string) scale {
	low, high, factors := niceBelow(least), niceStep(most), []float64{1, 2, 5}
	if low == high {
		low = niceBelow(low * 0.99)
	}
	if high/low > 1001 {
		low, high = math.Pow(10, math.Floor(math.Log10(low)+1e-9)), math.Pow(10, math.Ceil(math.Log10(high)-1e-9))
		factors = factors[:1]
	}
	span := math.Log10(high / low)
	s := scale{place: func(v float64) float64 { return math.Log10(max(v, low)/low) / span }}
	for power := math.Floor(math.Log10(low) + 1e-9); power <= math.Log10(high)+1e-9; power++ {
		for _, factor := range factors {
			if v := factor * math.Pow(10, power); v >= low*0.999 && v <= high*1.001 {
				s.ticks = append(s.ticks, tick{s.place(v), label(v)})
			}
		}
	}
	return s
}

// niceBelow is the largest of 1, 2 and 5 times a power of ten that is at most this large.
func niceBelow(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most)))
	for _, factor := range []float64{5, 2} {
		if factor*power <= most*1.0001 {
			return factor * power
		}
	}
	return power
}

// percentiles goes from 0 towards 100 %. Each further nine takes the same length, as far
// as the number of values can resolve.
func percentiles(count int) scale {
	end := max(1, math.Log10(float64(count)))
	s := scale{place: func(percent float64) float64 {
		if percent >= 100 {
			return 1
		}
		return min(1, -math.Log10(1-percent/100)/end)
	}}
	s.ticks = []tick{{0, "0"}, {s.place(50), "50 %"}}
	for nines := 1; float64(nines) <= end+1e-9; nines++ {
		percent := 100 - math.Pow(10, float64(2-nines))
		s.ticks = append(s.ticks, tick{float64(nines) / end, fmt.Sprintf("%.*f %%", max(0, nines-2), percent)})
	}
	return s
}
