import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { AgentProgram } from '../../../ports/agent-program.ts';

/**
 * From npm, `claude` is a placeholder that the package's install script replaces by the native program. Where scripts of packages are not run, the
 * native program is still there, in a package of its own for each platform.
 */
export const claudeProgram: AgentProgram = {
  name: 'claude',
  install: 'npm install --global @anthropic-ai/claude-code',
  async behind(file, which) {
    if (!file.endsWith(join('claude-code', 'bin', 'claude.exe')) && !file.endsWith('cli-wrapper.cjs')) return undefined;
    const platform = `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
    const manifest = createRequire(file).resolve(`@anthropic-ai/claude-code-${platform}/package.json`);
    const program = await which(join(dirname(manifest), 'claude'));
    return program === undefined ? undefined : [program];
  },
};

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined;
}
