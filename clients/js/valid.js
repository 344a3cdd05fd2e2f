// What the client needs of frames. A connection that sends others is cut: to go on could
// lose messages.
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value) => typeof value === 'string' && value !== '';
const isPosition = (value) => isText(value) && /^[^.]+\.[0-9]+$/.test(value);

const areMessages = (all, numbered) => Array.isArray(all) && all.every((message) =>
  isObject(message) && isText(message.id) && (!numbered || (Number.isSafeInteger(message.seq) && message.seq > 0)));

const isAnswer = (answer) => isObject(answer) && (answer.error ? isText(answer.error.code)
  : isPosition(answer.position) && areMessages(answer.messages ?? [], true)
    && (answer.recovered !== false || isText(answer.reason)));

// What answers to an action must have.
const answers = {
  sendMessage: ({ accepted }) => isText(accepted?.id),
  joinRoom: ({ joined }) => isObject(joined) && (!joined.position || isPosition(joined.position)),
  leaveRoom: ({ left }) => isObject(left),
  authenticate: ({ authenticated }) => isObject(authenticated),
  resume: ({ resumed }) => isObject(resumed) && Object.values(resumed).every(isAnswer),
};

// parse returns a frame, or undefined for what cannot be one.
export function parse(text) {
  try {
    const frame = JSON.parse(text);
    return isObject(frame) && (!frame.messages || isDelivery(frame)) ? frame : undefined;
  } catch {
    return undefined;
  }
}

const isDelivery = ({ messages, channel = '', epoch = '' }) =>
  typeof channel === 'string' && typeof epoch === 'string' && areMessages(messages, epoch !== '');

// isAnswerTo reports whether a frame answers a request with the action.
export const isAnswerTo = (frame, action) => (frame.error ? isText(frame.error.code) : answers[action](frame));
