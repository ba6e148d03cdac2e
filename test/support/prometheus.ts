import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { freePort } from './free-port.js'
import { temporaryFolder } from './temporary-folder.js'

export const monitoringFolder = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url))

const answer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.string(),
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
})

const raised = z.object({
  data: z.object({
    alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })),
  }),
})

const configuration = z.looseObject({
  global: z.record(z.string(), z.string()),
  scrape_configs: z.tuple([
    z.looseObject({
      static_configs: z.array(
        z.object({
          targets: z.array(z.string()),
          labels: z.object({ role: z.enum(['miner', 'validator', 'hub']) }),
        }),
      ),
    }),
  ]),
})

/** Whether Prometheus and promtool are installed. */
export function hasPrometheus(): boolean {
  try {
    for (const program of ['prometheus', 'promtool'])
      execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Runs promtool in the folder of the rules. @returns its output. @throws with its output when it finds something wrong. */
export function promtool(...args: string[]): string {
  return execFileSync('promtool', args, {
    cwd: monitoringFolder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

export type Sample = z.output<typeof answer>['data']['result'][number]

export interface Prometheus {
  /** Evaluates an expression now. @throws with the reason of Prometheus for one that it cannot evaluate. */
  query(expression: string): Promise<readonly Sample[]>
  /** Names of the alerts that fire. */
  firing(): Promise<string[]>
  stop(): Promise<unknown>
}

/** A real Prometheus with the committed configuration and rules that scrapes these nodes every second. */
export async function startPrometheus(targets: {
  readonly miner: string
  readonly validator: string
  readonly hub: string
}): Promise<Prometheus> {
  const folder = temporaryFolder('prometheus')
  const config = configuration.parse(parse(readFileSync(join(monitoringFolder, 'prometheus.yml'), 'utf8')))
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' }
  for (const group of config.scrape_configs[0].static_configs)
    group.targets = [new URL(targets[group.labels.role]).host]
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config))
  for (const name of ['recording.yml', 'alerts.yml'])
    copyFileSync(join(monitoringFolder, name), join(folder, name))
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    'prometheus',
    ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=${address}`],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(child, 'exit')
  let log = ''
  const listening = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk
      if (log.includes('Server is ready')) resolve()
    })
    void ended.then(([code]) => reject(new Error(`Prometheus exited with ${code}:\n${log}`)))
  })
  await listening
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}`)
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return JSON.parse(text)
  }
  return {
    query: async (expression) =>
      answer.parse(await get(`query?query=${encodeURIComponent(expression)}`)).data.result,
    firing: async () =>
      raised
        .parse(await get('alerts'))
        .data.alerts.filter(({ state }) => state === 'firing')
        .map(({ labels }) => labels.alertname ?? ''),
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}
