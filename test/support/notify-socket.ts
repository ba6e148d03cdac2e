import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Node does not support Unix datagram sockets, so Perl, which is part of every Debian, receives them. */
const RECEIVER =
  'socket(S,AF_UNIX,SOCK_DGRAM,0);bind(S,sockaddr_un($ARGV[0]))||die;$|=1;print "bound\\n";while(defined recv(S,$m,4096,0)){print "$m\\n"}'

/** Whether a real notification can be sent and received on this machine. */
export const canNotify = ['systemd-notify', 'perl'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
)

export interface NotifySocket {
  readonly path: string
  /** The received messages in order, without the barriers systemd-notify adds. */
  readonly received: readonly string[]
  /** Resolves once `matches` holds for the received messages. */
  until(matches: (received: readonly string[]) => boolean): Promise<void>
  close(): Promise<void>
}

/** Opens a socket like the one systemd passes in NOTIFY_SOCKET. */
export async function openNotifySocket(): Promise<NotifySocket> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-notify-'))
  const path = join(folder, 'notify')
  const child = spawn('perl', ['-MSocket', '-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const received: string[] = []
  const listeners = new Set<() => void>()
  const bound = new Promise<void>((resolve) => {
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line === 'bound') resolve()
        else if (line !== '' && line !== 'BARRIER=1') received.push(line)
      }
      for (const look of [...listeners]) look()
    })
  })
  await bound
  return {
    path,
    received,
    until: (matches) =>
      new Promise((resolve) => {
        const look = () => {
          if (!matches(received)) return
          listeners.delete(look)
          resolve()
        }
        listeners.add(look)
        look()
      }),
    close: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
