// ClientError has the code of an error: one of the service's, or full, not_sent,
// unanswered, closed, too_large or ref_in_use.
export class ClientError extends Error {
  // For the code unavailable, retryAfter is how many seconds to wait before the request is
  // made again.
  constructor(code, message = code, retryAfter = undefined) {
    super(`${code}: ${message}`);
    this.name = 'ClientError';
    this.code = code;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
  }
}
