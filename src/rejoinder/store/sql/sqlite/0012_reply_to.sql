-- Replies are matched for as long as their pair is kept, messages are forgotten 80 hours after their end: where else a reply
-- goes stands with what it is matched by. NULL: nowhere.

ALTER TABLE reply_pair ADD COLUMN reply_to TEXT;
ALTER TABLE conversation ADD COLUMN reply_to TEXT;

UPDATE reply_pair SET reply_to = (SELECT m.reply_to FROM mt m WHERE m.id = reply_pair.mt_id)
  WHERE EXISTS (SELECT 1 FROM mt m WHERE m.id = reply_pair.mt_id AND m.reply_to IS NOT NULL);
UPDATE conversation SET reply_to = (SELECT m.reply_to FROM mt m WHERE m.id = conversation.mt_id)
  WHERE EXISTS (SELECT 1 FROM mt m WHERE m.id = conversation.mt_id AND m.reply_to IS NOT NULL);
