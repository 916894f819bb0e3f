// npm's smpp as customer: binds, sends what it is told (long texts as message_payload), reports what comes, unbinds.
'use strict';
const smpp = require('smpp');
const told = JSON.parse(process.argv[2]);
const say = (event) => console.log(JSON.stringify(event));

const session = smpp.connect({ url: `smpp://${told.host}:${told.port}` });
session.on('error', (error) => { say({ failed: error.message }); process.exit(1); });
let delivered = 0;
const end = () => session.unbind(() => { say({ unbound: true }); session.close(); process.exit(0); });
setTimeout(() => { say({ late: true }); end(); }, told.seconds * 1000);

session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  const content = pdu.short_message.message || pdu.message_payload || '';
  const text = content.message !== undefined ? content.message : content;
  say({
    text: text.toString(), source: pdu.source_addr, destination: pdu.destination_addr,
    esm_class: pdu.esm_class, udh: pdu.short_message.udh ? pdu.short_message.udh.length : 0,
  });
  delivered += 1;
  if (delivered === told.deliveries) setTimeout(end, 50);
});

session.bind_transceiver({ system_id: told.system_id, password: told.password }, (bound) => {
  say({ bound: bound.command_status === 0 });
  if (bound.command_status !== 0) process.exit(1);
  told.messages.forEach((message, index) => {
    // This library writes the GSM alphabet under data_coding 1, which SMPP 3.4 gives to ASCII; 0 is the centre's own.
    const coding = smpp.encodings.detect(message.text) === 'ASCII' ? { data_coding: 0 } : {};
    const content = message.text.length > 60 ? { message_payload: message.text } : { short_message: message.text };
    session.submit_sm(
      { source_addr: told.sender, destination_addr: message.to, registered_delivery: 1, ...coding, ...content },
      (pdu) => say({ accepted: pdu.message_id, index, status: pdu.command_status }),
    );
  });
});
