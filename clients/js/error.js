// ClientError has the code of an error: one of the service's, or full, not_sent,
// unanswered, closed or too_large.
export class ClientError extends Error {
  constructor(code, message = code) {
    super(`${code}: ${message}`);
    this.name = 'ClientError';
    this.code = code;
  }
}
