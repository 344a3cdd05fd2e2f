package session

// Told returns how many clients are to come later.
func (l *ReadLimiter) Told() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(len(l.told), len(l.order))
}
