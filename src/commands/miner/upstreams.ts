import { BaseCommand, flagsOf, formatTable, runUntilStopped } from '../../cli/index.js'
import { systemClock } from '../../kernel/index.js'

export default class MinerUpstreams extends BaseCommand {
  static override summary = 'Show the model servers of the miner running on this machine'

  static override usage = 'miner upstreams [--metrics.port <integer>] [--json]'

  static override flags = flagsOf('miner', ['metrics.port'])

  run(): Promise<unknown> {
    return this.runWith('miner', ({ settings }) => this.#show(settings['metrics.port']))
  }

  async #show(port: number): Promise<unknown> {
    const { readLocalStatus } = await import('../../roles/index.js')
    const { minerStatus } = await import('../../roles/miner/index.js')
    const { upstreams } = await runUntilStopped({ exitWithStdin: false }, (signal) =>
      readLocalStatus('miner', port, minerStatus.pick({ role: true, upstreams: true }), {
        clock: systemClock,
        signal,
      }),
    )
    const rows = upstreams.map((upstream) => [
      upstream.url,
      [upstream.health, ...(upstream.breaker === 'closed' ? [] : [`breaker ${upstream.breaker}`])].join(', '),
      `${upstream.inFlight}/${upstream.maxInFlight}`,
      upstream.waiting === null ? '-' : String(upstream.waiting),
      upstream.tokensPerSecond === null ? '-' : upstream.tokensPerSecond.toFixed(1),
      String(upstream.requests),
      String(upstream.failures),
      upstream.reason ?? upstream.models.join(', '),
    ])
    const head = ['server', 'health', 'in flight', 'waiting', 'tokens/s', 'requests', 'failures', 'models']
    this.log(formatTable([head, ...rows], [2, 3, 4, 5, 6]))
    return { upstreams }
  }
}
