package wsgateway

// turns bounds how many goroutines work at once on what clients send, so that a
// flood leaves time for the posts to others. Who waits gets the next turn before
// those that come later: nobody gets two while another waits for one.
type turns chan struct{}

func (t turns) enter() { t <- struct{}{} }
func (t turns) leave() { <-t }

// pass lets the others have their turns first.
func (t turns) pass() {
	t.leave()
	t.enter()
}
