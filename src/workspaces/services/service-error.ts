import type { Service } from '../../domain/service.ts';
import { SwitchyardError } from '../../lib/error.ts';
import type { Exit } from '../../ports/sandbox.ts';
import { logText } from './log-text.ts';

/** `service/ended`: it was to go on for as long as programs run. */
export function hasEnded({ name }: Service, { code, signal }: Exit, output: string): SwitchyardError {
  return new SwitchyardError({
    code: 'service/ended',
    message: `The service ${name} ended with ${code ?? signal ?? 'an unknown code'}. ${lastLines(output)}`,
    hint: `Mend services.${name} in .switchyard/config.yaml, or what it needs, then retry. Its command has to stay in the foreground.`,
  });
}

/** `service/not-ready`: it is of no use within its time. `said` is what its `ready` command said last, where its port answered at all. */
export function isNotReady(
  { name, port, timeoutMs }: Service,
  said: string | undefined,
  output: string,
): SwitchyardError {
  const reason =
    said === undefined ? `nothing answered on port ${port}` : `its \`ready\` command did not succeed: ${said}`;
  return new SwitchyardError({
    code: 'service/not-ready',
    message: `The service ${name} was not ready within ${timeoutMs / 1000} s: ${reason}. ${lastLines(output)}`,
    hint: `Look whether it listens on 127.0.0.1:${port}; services.${name}.timeout gives it more time.`,
  });
}

function lastLines(output: string): string {
  const text = logText(output);
  return text === '' ? 'It has printed nothing.' : `Its last lines:\n${text}`;
}
