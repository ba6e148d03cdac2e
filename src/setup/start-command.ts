import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import type { Neuron } from './answers.js'

/** Where a neuron will run. */
export interface StartPlace {
  readonly role: Neuron
  /** Folder of this program. */
  readonly programFolder: string
  /** Folder with the settings. */
  readonly workingFolder: string
  /** PATH. */
  readonly searchPath: string
  /** Of a running systemd; tests name another one. */
  readonly systemdFolder?: string
}

export type StartManner = 'pm2' | 'systemd' | 'compose' | 'plain'

export interface StartCommand {
  readonly manner: StartManner
  readonly commands: readonly string[]
  /** Of a hub: creates an API key where the started hub looks for it. */
  readonly keyCommand?: string
}

const SYSTEMD_FOLDER = '/run/systemd/system'

/** How to start the neuron on this machine so that it keeps running: with pm2, systemd or Docker where they are there. */
export function startCommandFor(place: StartPlace): StartCommand {
  const start = chooseStart(place)
  return place.role === 'hub' ? { ...start, keyCommand: keyCommandFor(place, start.manner) } : start
}

function chooseStart(place: StartPlace): StartCommand {
  const { role, programFolder, workingFolder, searchPath, systemdFolder = SYSTEMD_FOLDER } = place
  const at = (...names: string[]) => join(programFolder, 'deploy', ...names)
  const has = (program: string) =>
    searchPath.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)))
  // pm2 and compose read the .env of the program's own folder.
  const isHere = resolve(programFolder) === resolve(workingFolder)
  if (isHere && has('pm2') && existsSync(at('ecosystem.config.cjs')))
    return {
      manner: 'pm2',
      commands: [`pm2 start ${quoted(at('ecosystem.config.cjs'))} --only targon-${role}`, 'pm2 save'],
    }
  if (existsSync(systemdFolder) && existsSync(at('systemd', `targon-${role}.service`)))
    return {
      manner: 'systemd',
      commands: [
        '# docs/deploy.md, systemd, first: it makes the user targon and gives it a copy of the hotkey',
        `sudo install -D -o targon -m 600 ${quoted(join(workingFolder, '.env'))} /etc/targon/${role}.env`,
        `sudo install -m 644 ${quoted(at('systemd', `targon-${role}.service`))} /etc/systemd/system/`,
        `sudo systemctl daemon-reload && sudo systemctl enable --now targon-${role}`,
      ],
    }
  if (isHere && has('docker') && existsSync(at('compose.yaml')))
    return {
      manner: 'compose',
      commands: [
        // Docker would make a folder of root, which the node cannot write.
        `mkdir -p ~/.targon/${role} && env UID=$(id -u) GID=$(id -g) docker compose -f ${quoted(at('compose.yaml'))} up -d ${role}`,
      ],
    }
  const launcher = quoted(at('launcher.mjs'))
  const folder = isHere ? '' : `cd ${quoted(workingFolder)} && `
  return { manner: 'plain', commands: [`${folder}node ${launcher} ${role} start`] }
}

function keyCommandFor({ programFolder, workingFolder }: StartPlace, manner: StartManner): string {
  const create = 'hub keys create NAME'
  const program = quoted(join(programFolder, 'bin', 'run.js'))
  if (manner === 'systemd')
    return `sudo -u targon env TARGON_LOGGING_LOGGING_DIR=/var/lib/targon-hub/neurons node ${program} ${create} --env-file /etc/targon/hub.env`
  if (manner === 'compose')
    return `docker compose -f ${quoted(join(programFolder, 'deploy', 'compose.yaml'))} --profile hub exec hub node /opt/targon/bin/run.js ${create}`
  const isHere = resolve(programFolder) === resolve(workingFolder)
  return `${isHere ? '' : `cd ${quoted(workingFolder)} && `}node ${program} ${create}`
}

function quoted(path: string): string {
  return /^[\w@%+=:,./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
