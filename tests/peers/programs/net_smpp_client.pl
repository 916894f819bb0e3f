# Net::SMPP as customer: binds, sends what it is told (long texts in parts), reports what comes, unbinds.
use strict;
use warnings;
use Encode qw(encode decode);
use IO::Select;
use JSON::PP;
use Net::SMPP;

$| = 1;
my $told = decode_json($ARGV[0]);
my $json = JSON::PP->new->canonical->ascii;
sub say_event { print $json->encode({@_}), "\n"; }

my $smpp = Net::SMPP->new_transceiver(
    $told->{host}, port => $told->{port}, smpp_version => 0x34, async => 0,
    system_id => $told->{system_id}, password => $told->{password},
) or die "no bind: $!";
say_event(bound => JSON::PP::true);

my ($delivered, $reference) = (0, 1);
sub take {
    my ($pdu) = @_;
    if ($pdu->{cmd} == Net::SMPP::CMD_deliver_sm()) {
        $smpp->deliver_sm_resp(message_id => '', seq => $pdu->{seq});
        $delivered++;
        say_event(
            deliver => unpack('H*', $pdu->{short_message}), source => $pdu->{source_addr},
            destination => $pdu->{destination_addr}, esm_class => $pdu->{esm_class}, data_coding => $pdu->{data_coding},
        );
    } elsif ($pdu->{cmd} == Net::SMPP::CMD_enquire_link()) {
        $smpp->enquire_link_resp(seq => $pdu->{seq});
    }
}

sub send_part {
    my ($index, $to, $octets, $coding, $class) = @_;
    my $seq = $smpp->submit_sm(
        async => 1, source_addr => $told->{sender}, destination_addr => $to, registered_delivery => 1,
        data_coding => $coding, esm_class => $class, short_message => $octets,
    );
    while (my $pdu = $smpp->read_pdu()) {
        if ($pdu->{cmd} == Net::SMPP::CMD_submit_sm_resp() && $pdu->{seq} == $seq) {
            say_event(accepted => $pdu->{message_id}, index => $index, status => $pdu->{status});
            return;
        }
        take($pdu);
    }
}

my $index = 0;
for my $message (@{ $told->{messages} }) {
    # Latin-1 where it fits, else UCS-2: Net::SMPP leaves texts to its user.
    my $latin = $message->{text} !~ /[^\x00-\xff]/;
    my $octets = $latin ? encode('iso-8859-1', $message->{text}) : encode('UTF-16BE', $message->{text});
    my $coding = $latin ? 3 : 8;
    if (length($octets) <= 140) {
        send_part($index, $message->{to}, $octets, $coding, 0);
    } else {
        my @parts = unpack('(a134)*', $octets);
        my $number = 1;
        send_part($index, $message->{to}, pack('C6', 5, 0, 3, $reference, scalar @parts, $number++) . $_, $coding, 0x40)
            for @parts;
        $reference++;
    }
    $index++;
}
my $deadline = time + $told->{seconds};
my $ready = IO::Select->new($smpp);
while ($delivered < $told->{deliveries} && time < $deadline) {
    next unless $ready->can_read(0.2);
    my $pdu = $smpp->read_pdu() or last;
    take($pdu);
}
$smpp->unbind();
say_event(unbound => JSON::PP::true);
