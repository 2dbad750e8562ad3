/** How a failure's code becomes an HTTP status on the server and an exit code on the command line. */
export type FailureClass = 'usage' | 'not-found' | 'refused' | 'unavailable' | 'bug';

const CLASSES: Readonly<Record<string, FailureClass>> = {
  'agent/none': 'usage',
  'agent/unknown': 'usage',
  'blueprint/invalid': 'usage',
  'blueprint/requires-check': 'usage',
  'config/invalid': 'usage',
  'decision/choice': 'usage',
  'limit/invalid': 'usage',
  'message/empty': 'usage',
  'message/too-large': 'usage',
  'merge/no-target': 'usage',
  'repository/ambiguous': 'usage',
  'repository/detached': 'usage',
  'repository/empty': 'usage',
  'repository/not-git': 'usage',
  'repository/shallow': 'usage',
  'repository/submodule-missing': 'usage',
  'open/no-session': 'usage',
  'request/invalid': 'usage',
  'fork/step': 'not-found',
  'retry/node': 'not-found',
  'run/ambiguous': 'usage',
  'sandbox/unavailable': 'usage',
  'secret/missing': 'usage',
  'sandbox/too-weak': 'usage',
  'task/empty': 'usage',
  'task/too-large': 'usage',
  'base/not-found': 'not-found',
  'blueprint/not-found': 'not-found',
  'merge/no-branch': 'not-found',
  'repository/not-known': 'not-found',
  'request/no-route': 'not-found',
  'run/not-found': 'not-found',
  'secret/not-found': 'not-found',
  'step/not-found': 'not-found',
  'daemon/unavailable': 'unavailable',
  'daemon/stopped': 'unavailable',
  'daemon/stopping': 'unavailable',
  'database/cannot-run-as-root': 'unavailable',
  'database/newer': 'unavailable',
  'database/other-major': 'unavailable',
  'database/unavailable': 'unavailable',
  'internal/bug': 'bug',
};

/** Codes that are not listed were refused in the present state. */
export function failureClass(code: string): FailureClass {
  return Object.hasOwn(CLASSES, code)
    ? (CLASSES[code] ?? 'refused')
    : code.startsWith('database/')
      ? 'unavailable'
      : 'refused';
}

export const STATUS: Readonly<Record<FailureClass, 400 | 404 | 409 | 503 | 500>> = {
  usage: 400,
  'not-found': 404,
  refused: 409,
  unavailable: 503,
  bug: 500,
};

export const EXIT: Readonly<Record<FailureClass, number>> = {
  usage: 2,
  'not-found': 5,
  refused: 1,
  unavailable: 69,
  bug: 70,
};
