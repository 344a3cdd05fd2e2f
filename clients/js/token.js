// refusesToken reports whether an error says that another token is needed.
export const refusesToken = ({ code }) => code === 'unauthenticated' || code === 'invalid_token' || code === 'forbidden';

// expiry returns when a token expires, in milliseconds. Only the service can verify it.
export function expiry(token) {
  try {
    const payload = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    return JSON.parse(atob(payload)).exp * 1_000 || Infinity;
  } catch {
    return Infinity;
  }
}
