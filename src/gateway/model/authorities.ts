import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Environment } from '../egress/company-proxy.ts';

/** Variables that name a file of further authorities, as machines behind a company's proxy have them. */
const FILES = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'] as const;

/**
 * Whom upstreams' certificates may be by: those that Node comes with, those of this machine, and those that its environment names. Read when it is
 * first asked for, and once, as it is some hundred certificates. A file that cannot be read adds none.
 */
export function machineAuthorities(hostEnv: Environment): () => SecureContext {
  let context: SecureContext | undefined;
  return () => {
    context ??= createSecureContext({ ca: [...getCACertificates('default'), ...system(), ...named(hostEnv)] });
    return context;
  };
}

function system(): string[] {
  try {
    return getCACertificates('system');
  } catch {
    return [];
  }
}

function named(hostEnv: Environment): string[] {
  return FILES.flatMap((name) => {
    try {
      const path = hostEnv[name];
      return path === undefined || path === '' ? [] : [readFileSync(path, 'utf8')];
    } catch {
      return [];
    }
  });
}
