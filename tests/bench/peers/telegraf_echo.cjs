// telegraf behind node:http: answers every text. Keeps nothing. Arguments: port, the network's port.
const http = require('node:http')
const { Telegraf } = require('telegraf')

const [port, network] = process.argv.slice(2)
const bot = new Telegraf('42:TOKEN', { telegram: { apiRoot: `http://127.0.0.1:${network}`, webhookReply: false } })
bot.botInfo = { id: 42, is_bot: true, first_name: 'bench', username: 'bench_bot' }
bot.on('text', (context) => context.reply('You said: ' + context.message.text.slice(0, 80)))
http.createServer(bot.webhookCallback('/hook', { secretToken: 'bench' })).listen(Number(port), '127.0.0.1')
