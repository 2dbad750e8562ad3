import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TempRepository } from '../../../src/testing/temp-repository.ts';
import { sampleRepository } from '../sample-repository.ts';

/** A repository of so many files with dependencies that setup makes; its last commit changes a hundred of them. */
export async function repositoryOf(size: number): Promise<TempRepository> {
  const repository = await sampleRepository(size, { 'config.yaml': 'checks: {}\n' });
  await repository.commit({ 'package-lock.json': '{}\n', '.gitignore': 'node_modules\n' }, 'Dependencies');
  const some = Array.from({ length: Math.min(100, size) }, (_, n) => Math.floor((n * size) / Math.min(100, size)));
  await repository.commit(
    Object.fromEntries(some.map((n) => [`src/module-${n % 25}/file-${n}.txt`, `changed ${n}\n`])),
    'A hundred files',
  );
  return repository;
}

/** The files that setup copies to where they belong. */
export async function fillDependencies(folder: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const inner = join(folder, `package-${Math.floor(n / 100)}`, 'lib');
    if (n % 100 === 0) await mkdir(inner, { recursive: true });
    await writeFile(join(inner, `file-${n}.js`), `${'module.exports = 1;\n'.repeat(20)}// ${n}\n`);
  }
}
