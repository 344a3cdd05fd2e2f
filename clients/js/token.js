const second = 1_000;
const minute = 60 * second;
const renewBefore = minute; // a token expires
const renewAgain = 10 * second; // after a try
const longest = 24 * 60 * minute; // for a timer, which cannot wait for more than 24 days

// refusesToken reports whether an error says that another token is needed.
export const refusesToken = ({ code }) => ['unauthenticated', 'invalid_token', 'forbidden'].includes(code);

// temporary reports whether the service may accept the same request later.
export const temporary = ({ code }) => code === 'unavailable' || code === 'internal';

// retryAfter returns how long the service wants the client to wait, within reason.
export const retryAfter = ({ retryAfter: seconds }) => (seconds > 0 ? Math.min(seconds * second, 5 * minute) : 0);

// later adds up to a half to a wait that the service has set, so that clients do not keep in
// step.
export const later = (wait, random) => wait * (1 + random / 2);

// expiry returns when a token expires, in milliseconds. Only the service can verify it.
function expiry(token) {
  try {
    const payload = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    return JSON.parse(atob(payload)).exp * 1_000 || Infinity;
  } catch {
    return Infinity;
  }
}

// Token is the token with which the client connects, and its successors. The host sends
// them.
export class Token {
  #value; // that the service has not refused; undefined: ask for one
  #fetch; // undefined: the client does not sign in
  #host;

  constructor(fetch, host) {
    this.#fetch = fetch;
    this.#host = host;
  }

  // drop forgets a token that the service may have refused.
  drop() {
    this.#value = undefined;
  }

  // get returns a token that lasts long enough to connect with it.
  async get(link) {
    if (!this.#fetch || this.#usable()) return this.#value;
    const value = await this.#fetch();
    if (this.#host.link() === link) this.#value = value; // not a late one over a newer one
    return value;
  }

  #usable() {
    return this.#value && expiry(this.#value) - this.#host.now() > renewBefore;
  }

  // renewLater sends a new token before the client's own expires.
  renewLater() {
    if (!this.#value) return;
    const wait = Math.max(expiry(this.#value) - this.#host.now() - renewBefore, renewAgain);
    if (wait > longest) this.#host.after(longest, () => this.renewLater());
    else this.#host.after(wait, () => this.#renew());
  }

  async #renew() {
    const link = this.#host.link();
    let late = false;
    this.#host.after(this.#host.timeout, () => {
      late = true;
      this.#notRenewed(new Error('token: none in time'));
    });
    const { value, failed } = await this.#fetchOther();
    if (late || this.#host.link() !== link) return;
    if (failed) this.#notRenewed(failed);
    else this.#authenticate(link, value);
  }

  async #fetchOther() {
    try {
      const value = await this.#fetch();
      return value === this.#value ? { failed: new Error('no other token is there yet') } : { value };
    } catch (failed) {
      return { failed };
    }
  }

  #authenticate(link, token) {
    this.#host.clear();
    this.#host.ask({ action: 'authenticate', token }, (_, error) => {
      if (error) return temporary(error) ? this.#notRenewed(error) : this.#host.cut(link, error);
      this.#value = token;
      this.renewLater();
    });
  }

  #notRenewed(error) {
    this.#host.fails(error);
    this.#host.after(Math.max(renewAgain, later(retryAfter(error), this.#host.random())), () => this.#renew());
  }
}
