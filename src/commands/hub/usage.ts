import { Flags } from '@oclif/core'
import { BaseCommand, formatTable, hubDatabaseFlags, hubPlaceOf, type Invocation } from '../../cli/index.js'
import { systemClock } from '../../kernel/index.js'

export default class HubUsage extends BaseCommand {
  static override summary = 'Show what the API keys of the hub used, by key and model'

  static override description =
    'Counts requests and tokens of prompts and answers, in whole hours of UTC; a request counts when it ends. Unsettled are the tokens charged for requests of a hub that was killed before it could settle them. --csv and --json list every hour.'

  static override usage = 'hub usage [--since <time>] [--until <time>] [--key <id>] [--csv | --json] [FLAGS]'

  static override examples = [
    '<%= config.bin %> hub usage --since 7d',
    '<%= config.bin %> hub usage --since 2026-11-01 --until 2026-12-01 --csv > november.csv',
  ]

  static override flags = {
    ...hubDatabaseFlags(),
    since: Flags.string({
      summary: 'First hour: a span before now such as 7d or 12h, or a date or time in UTC.',
      helpValue: '<time>',
      default: '30d',
    }),
    until: Flags.string({
      summary: 'End; hours that begin before it are counted. Written in the same ways.',
      helpValue: '<time>',
      defaultHelp: async () => 'now',
    }),
    key: Flags.string({ summary: 'Only the key with this id.', helpValue: '<id>' }),
    csv: Flags.boolean({ summary: 'Print CSV, one line per hour, key and model.', exclusive: ['json'] }),
  }

  run(): Promise<unknown> {
    return this.runWith('hub', (invocation) => this.#show(invocation))
  }

  async #show({ settings, actions }: Invocation<'hub'>): Promise<unknown> {
    const accounts = await import('../../accounts/index.js')
    const now = systemClock.now()
    const sinceMs = accounts.parseTime('since', String(actions.since ?? '30d'), now, -1)
    const untilMs =
      actions.until === undefined ? now : accounts.parseTime('until', String(actions.until), now, -1)
    const keyId = actions.key === undefined ? undefined : String(actions.key)
    const found = await accounts.useExistingAccounts(hubPlaceOf(settings), (database) =>
      accounts.readUsage(database, { sinceMs, untilMs, keyId }),
    )
    const rows = found ?? []
    if (actions.csv) this.log(accounts.usageCsv(rows))
    else if (rows.length === 0) this.log('Nothing was used in this period.')
    else this.log(formatTable(accounts.usageTable(rows), accounts.RIGHT_ALIGNED_USAGE))
    return {
      since: new Date(sinceMs).toISOString(),
      until: new Date(untilMs).toISOString(),
      usage: accounts.usageDocument(rows),
    }
  }
}
