import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { inheritableEnvironment } from '../../src/config/index.js'

const execute = promisify(execFile)
/** The plugin of Docker, or the program of Debian. */
const FORMS = [['docker', 'compose'], ['docker-compose']]

/** How Compose is called here: program and first arguments; undefined when it is not installed. */
export function findCompose(): readonly string[] | undefined {
  return FORMS.find(([program = '', ...args]) => spawnSync(program, [...args, 'version']).status === 0)
}

/** Runs Compose on a file, with a daemon's socket and further variables. @returns what it prints. */
export async function runCompose(
  place: { readonly file: string; readonly socketPath: string; readonly home: string },
  variables: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const [program = '', ...first] = findCompose() ?? []
  const env = {
    ...inheritableEnvironment(),
    ...{ DOCKER_HOST: `unix://${place.socketPath}`, COMPOSE_PROJECT_NAME: 'targon-test', HOME: place.home },
    ...variables,
  }
  return await execute(program, [...first, '--file', place.file, ...args], { env, timeout: 150_000 })
}
