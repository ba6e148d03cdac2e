import {
  BaseCommand,
  formatTable,
  hubDatabaseFlags,
  hubPlaceOf,
  type Invocation,
} from '../../../cli/index.js'
import { systemClock } from '../../../kernel/index.js'

export default class HubKeysList extends BaseCommand {
  static override summary = 'List the API keys of the hub with their limits and what they have used'

  static override description =
    'Works while a hub runs, and lists revoked keys too. What is limited shows as used/limit, in requests or tokens; times are in UTC. The column kept says whether requests and answers may be kept for validators.'

  static override flags = hubDatabaseFlags()

  run(): Promise<unknown> {
    return this.runWith('hub', (invocation) => this.#list(invocation))
  }

  async #list({ settings }: Invocation<'hub'>): Promise<unknown> {
    const { keyDocument, keyTable, listKeys, RIGHT_ALIGNED, useExistingAccounts } = await import(
      '../../../accounts/index.js'
    )
    const keys = (await useExistingAccounts(hubPlaceOf(settings), listKeys)) ?? []
    if (keys.length === 0) this.log('There are no keys. Create one with: targon hub keys create NAME')
    else this.log(formatTable(keyTable(keys, systemClock.now()), RIGHT_ALIGNED))
    return { keys: keys.map(keyDocument) }
  }
}
