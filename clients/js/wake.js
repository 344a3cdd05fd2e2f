// onWake calls a function when a browser is online again or shows the page, and returns how
// to stop that. Elsewhere there is no document, and nobody says so.
export function onWake({ page, document }, wake) {
  const shown = () => document.visibilityState === 'visible' && wake();
  page.addEventListener?.('online', wake);
  document?.addEventListener('visibilitychange', shown);
  return () => {
    page.removeEventListener?.('online', wake);
    document?.removeEventListener('visibilitychange', shown);
  };
}
