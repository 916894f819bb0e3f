"""PURE: SMPP 3.4 on bytes. No socket, no clock, no thread; whoever has those asks these modules what to do.

* `constants`: Command, CommandStatus (and `status_name`), Tag, MessageState, Ton, Npi, EsmClass, DataCoding.
* `pdu`: one frozen struct per PDU, fields in the order of the wire, all with defaults: `SubmitSm(source_addr=…,
  destination_addr=…, short_message=b"…", tlvs=((Tag.USER_MESSAGE_REFERENCE, 7),))`. `pdu.tlv(tag)` is the first
  value of a tag. `SubmitSm.response` is the class of its answer, None where nothing answers.
* `codec`: `encode(pdu, sequence, status=0) -> bytes`, `decode(frame) -> Decoded(pdu, sequence, status)`.
  `errors`: Malformed (with the status the peer may be told), Unwritable, NotAllowed.
* `session` and `window`: one connection, either end. `Session(Side.CENTRE or Side.ESME, now, Timers(), window)`:

      events = session.receive(data, now)        # bytes from the connection; never raises
      events = session.tick(now)                 # at session.next_deadline(), monotonic seconds
      sequence = session.send_request(pdu, now, context)   # NotAllowed when the window is full or the state forbids it
      events = session.respond(sequence, pdu, status)      # once for every Requested whose pdu.response is a class
      transport.write(session.bytes_to_send())   # after any of these
      session.contexts()                         # of unanswered requests, when the connection is gone

  Events (`events`): Requested(sequence, pdu), Answered(sequence, status, pdu, request, context), Overdue(sequence,
  request, context), Strange(command, sequence, reason), Ended(reason): write what is left, then close.
  A bind reaches a centre as Requested; `respond(sequence, pdu.response("name"), 0)` binds it, any other status
  leaves it open for another try. enquire_link, unbind (its answer waits for all of yours), unknown and malformed
  PDUs, and those out of turn (states.py: one table) never reach the owner. `session.unanswered`: how many of the
  peer's requests wait for you. A peer of version 3.3 gets no TLVs.
* `translate`: `code(outgoing, style) -> [Coded]`, what a text decides of a PDU, for both ends; `content`:
  `read_content(pdu, style) -> Content` (octets, alphabet, header, part, flash; `.text()`); `style`: what SMPP
  leaves to the peer.
* `receipt_text`: `read_receipt(pdu, style) -> ReceiptWord | None` from TLVs and from carriers' dialects,
  `write_receipt(…) -> bytes`; `WORDS` and `STATES` between message_state and appendix B's words.
"""
