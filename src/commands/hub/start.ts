import { askPassword, BaseCommand, flagsOf, type Invocation, runRole } from '../../cli/index.js'
import { isGiven, passwordVariables } from '../../config/index.js'

export default class HubStart extends BaseCommand {
  static override summary = 'Answer users’ requests by the miners of the subnet'

  static override description =
    'Serves the API of OpenAI to users with a key (`targon hub keys create`), asks the miners of the subnet with the hotkey of this hub, and hands validators what was asked and answered. docs/hub.md describes it.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --wallet.name mine --wallet.hotkey h1',
    '<%= config.bin %> <%= command.id %> --hub.ip 0.0.0.0 --hub.tls-cert chain.pem --hub.tls-key key.pem',
  ]

  static override usage = 'hub start [FLAGS]'

  static override flags = flagsOf('hub')

  async run(): Promise<unknown> {
    return this.runServer('hub', (invocation) => this.#serve(invocation))
  }

  async #serve({ settings, resolved, warnings, onWarned }: Invocation<'hub'>): Promise<unknown> {
    const { connectNeuronChain, loadNeuronHotkey, ROLE_FIRST_CONNECT_MS } = await import(
      '../../roles/index.js'
    )
    const signer = await loadNeuronHotkey(settings, { variables: passwordVariables(), prompt: askPassword })
    const { accountsPlace, openAccounts } = await import('../../accounts/index.js')
    const { startHub } = await import('../../roles/hub/index.js')
    const { createMetrics } = await import('../../telemetry/index.js')
    return runRole({
      ...{ role: 'hub', settings, hotkey: signer.address, warnings, onWarned },
      start: async (context) => {
        const { clock, log, stateDir, droppedLines } = context
        const metrics = createMetrics('hub', {
          droppedLines,
          ownProcess: true,
          genAi: settings['metrics.genai'],
        })
        const patient = { ...context, firstConnectMs: ROLE_FIRST_CONNECT_MS }
        const subtensor = await connectNeuronChain(settings, isGiven(resolved, 'subtensor.network'), patient)
        const place = accountsPlace({ url: settings['database.url'], stateDir })
        const accounts = openAccounts({ place, clock, log })
        try {
          const running = await startHub(settings, { ...context, signer, subtensor, accounts, metrics })
          return { ...running, done: running.done.finally(() => subtensor.close()) }
        } catch (error) {
          await subtensor.close()
          throw error
        }
      },
    })
  }
}
