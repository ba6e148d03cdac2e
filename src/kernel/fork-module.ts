import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { locateModule } from './worker-thread.js'

/** What Node itself reads of the environment. The rest may contain keys and passwords, which the process does not need. */
const VARIABLES = ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'SSL_CERT_DIR', 'SSL_CERT_FILE', 'TZ']

/**
 * Runs one of our modules in a process of its own, with a channel for messages and connections. It writes to our standard
 * error, and its environment has no settings.
 *
 * @param module URL of the module without extension: `.js` once built, `.ts` when run from source.
 */
export function forkModule(module: URL): ChildProcess {
  const { url, isSource } = locateModule(module)
  const known = VARIABLES.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return fork(fileURLToPath(url), [], {
    execArgv: isSource ? ['--import', 'tsx'] : [],
    env: Object.fromEntries(known),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'json',
  })
}
