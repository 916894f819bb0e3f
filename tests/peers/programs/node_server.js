// npm's smpp as a carrier: takes binds and messages, sends receipts, lets the handset answer; reports all it takes.
'use strict';
const smpp = require('smpp');
const say = (event) => console.log(JSON.stringify(event));
let next = 1;

const server = smpp.createServer((session) => {
  session.on('error', () => session.close());
  session.on('bind_transceiver', (pdu) => {
    const right = pdu.system_id === 'rejoinder' && pdu.password === 'secret7';
    session.send(pdu.response({ system_id: 'node', command_status: right ? 0 : smpp.ESME_RINVPASWD }));
    say({ bound: right });
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); say({ unbound: true }); session.close(); });
  session.on('deliver_sm_resp', (pdu) => say({ acknowledged: pdu.command_status }));
  session.on('submit_sm', (pdu) => {
    const id = `n${next++}`;
    const content = pdu.short_message.message || pdu.message_payload || '';
    const udh = pdu.short_message.udh || [];
    session.send(pdu.response({ message_id: id }));
    say({
      taken: id, text: content.toString(), to: pdu.destination_addr, from: pdu.source_addr,
      data_coding: pdu.data_coding, parts: udh.map((element) => Buffer.from(element).toString('hex')),
    });
    session.deliver_sm({
      esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2611240900 done date:2611240901 stat:DELIVRD err:000 text:x`,
    });
    session.deliver_sm({
      source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, short_message: `Réponse 🎉 à ${id}`,
    });
  });
});
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
