/** `harness`: no configuration but ours. `user`: a person's own repository, with their configuration but without their hooks. */
export type GitFlavour = 'harness' | 'user';

/** Configuration that no command of ours may go without. */
const ALWAYS = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'submodule.recurse': 'false',
  'fetch.writeCommitGraph': 'false',
};

/** What our own repositories need besides: nothing of the machine, no conversions, whoever owns the files, no name that is `.git` elsewhere. */
const HARNESS = {
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'core.excludesFile': '/dev/null',
  'core.attributesFile': '/dev/null',
  'core.autocrlf': 'false',
  'core.quotePath': 'false',
  'advice.addEmbeddedRepo': 'false',
  'safe.directory': '*',
  'init.defaultBranch': 'main',
  'protocol.allow': 'never',
  'protocol.file.allow': 'always',
};

const NO_PROMPTS = { LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', SSH_ASKPASS_REQUIRE: 'never' };

export interface EnvironmentOptions {
  readonly flavour?: GitFlavour;
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, string>>;
}

/** The whole environment of a git command; nothing that git reads is inherited but what the flavour allows. */
export function gitEnvironment(options: EnvironmentOptions = {}): Record<string, string> {
  const user = options.flavour === 'user';
  return {
    ...(user ? inherited() : bare()),
    ...NO_PROMPTS,
    ...configuration({ ...ALWAYS, ...(user ? {} : HARNESS), ...options.config }),
    ...(options.gitDir === undefined ? {} : { GIT_DIR: options.gitDir }),
    ...(options.workTree === undefined ? {} : { GIT_WORK_TREE: options.workTree }),
    ...options.env,
  };
}

/** Configuration that outranks every file. */
function configuration(values: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(values);
  return Object.assign(
    { GIT_CONFIG_COUNT: String(entries.length) },
    ...entries.map(([key, value], n) => ({ [`GIT_CONFIG_KEY_${n}`]: key, [`GIT_CONFIG_VALUE_${n}`]: value })),
  ) as Record<string, string>;
}

function bare(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
  };
}

/** The person's environment, without what a calling git (a hook, an alias) may have left in it. */
function inherited(): Record<string, string> {
  const kept: Record<string, string> = { GIT_OPTIONAL_LOCKS: '0' };
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined) continue;
    if (name.startsWith('GIT_') && !KEPT.test(name)) continue;
    kept[name] = value;
  }
  return kept;
}

const KEPT =
  /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM|EXEC_PATH|SSL_\w+|PROXY_\w+)$/;
