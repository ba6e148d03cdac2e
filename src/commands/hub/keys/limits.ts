import { Args } from '@oclif/core'
import {
  BaseCommand,
  formatTable,
  hubDatabaseFlags,
  hubPlaceOf,
  type Invocation,
  keyLimitFlags,
} from '../../../cli/index.js'
import { systemClock } from '../../../kernel/index.js'

export default class HubKeysLimits extends BaseCommand {
  static override summary = 'Change the limits of an API key of the hub, or show them'

  static override description =
    'Only the limits that are named change; none removes one. They hold from the next request, also at a hub that runs, which reads models and retention again every five seconds. A command that names none shows those that hold.'

  static override usage = 'hub keys limits ID [--budget <n|none>] [--no-retention] [FLAGS]'

  static override examples = [
    '<%= config.bin %> <%= command.id %> key_0123456789abcdef01 --budget 500000 --expires none',
  ]

  static override args = {
    id: Args.string({ description: 'Id of the key, as listed.', required: true, ignoreStdin: true }),
  }

  static override flags = { ...hubDatabaseFlags(), ...keyLimitFlags() }

  run(): Promise<unknown> {
    return this.runWith('hub', (invocation) => this.#change(invocation))
  }

  async #change({ settings, actions, args }: Invocation<'hub'>): Promise<unknown> {
    const accounts = await import('../../../accounts/index.js')
    const id = String(args.id)
    const now = systemClock.now()
    const changes = accounts.parseLimits(actions, now)
    const key = await accounts.useExistingAccounts(hubPlaceOf(settings), (database) =>
      accounts.changeKey(database, id, changes),
    )
    if (!key) throw accounts.unknownKey(id)
    this.log(formatTable(accounts.keyTable([key], now), accounts.RIGHT_ALIGNED))
    return accounts.keyDocument(key)
  }
}
