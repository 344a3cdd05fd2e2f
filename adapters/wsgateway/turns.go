package wsgateway

// turns limits how many goroutines handle input from clients at once, so that a flood
// leaves time for posts. Turns are given in the order in which they are asked for:
// no goroutine gets two while another waits.
type turns chan struct{}

func (t turns) enter() { t <- struct{}{} }
func (t turns) leave() { <-t }

// tryEnter reports whether a turn was free.
func (t turns) tryEnter() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

// pass lets those that wait go first.
func (t turns) pass() {
	t.leave()
	t.enter()
}
