#!/usr/bin/perl
# An MCP server on standard input and output: searches and reads the notes of a folder. Plain Perl without modules, because
# that is in every Debian, and so in every sandbox; any other language of the sandbox's /usr would do as well.
# It stands in .claude, which the agent cannot write to.
use strict;
use warnings;

my $folder = shift // 'library';
my %notes = map { m{([^/]+)\.md$} ? ($1 => read_file($_)) : () } glob("$folder/*.md");

my @tools = (
    '{"name":"search","description":"Finds notes in the library that contain all words of the query.",'
        . '"inputSchema":{"type":"object","properties":{"query":{"type":"string","description":"One to three words"}},"required":["query"]}}',
    '{"name":"read","description":"Gives one note of the library in full.",'
        . '"inputSchema":{"type":"object","properties":{"id":{"type":"string","description":"An id that search has given"}},"required":["id"]}}',
);

$| = 1;
while (my $line = <STDIN>) {
    my $request = eval { decode($line) };
    if (ref $request ne 'HASH') {
        print '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}', "\n";
        next;
    }
    # A notification wants no answer.
    next unless exists $request->{id} && defined $request->{method};

    my $id = $request->{id};
    $id = $id =~ /^-?\d+$/ ? $id : encode($id);
    print qq({"jsonrpc":"2.0","id":$id,), answer($request->{method}, $request->{params} // {}), "}\n";
}

sub answer {
    my ($method, $params) = @_;

    if ($method eq 'initialize') {
        my $version = encode($params->{protocolVersion} // '2025-11-25');
        return qq("result":{"protocolVersion":$version,"capabilities":{"tools":{}},"serverInfo":{"name":"library","version":"1.0.0"}});
    }
    return '"result":{}' if $method eq 'ping';
    return '"result":{"tools":[' . join(',', @tools) . ']}' if $method eq 'tools/list';
    return '"error":{"code":-32601,"message":"Method not found"}' if $method ne 'tools/call';

    my ($name, $arguments) = ($params->{name} // '', $params->{arguments} // {});
    return text(search($arguments->{query} // '')) if $name eq 'search';
    return '"error":{"code":-32602,"message":"Unknown tool"}' if $name ne 'read';

    # Only ids that are there: nothing of the request becomes a path.
    my $note = $notes{ $arguments->{id} // '' };
    return defined $note ? text($note) : text('There is no such note; search gives the ids.', 'true');
}

sub text {
    my ($text, $is_error) = (@_, 'false');
    return '"result":{"content":[{"type":"text","text":' . encode($text) . qq(}],"isError":$is_error});
}

sub search {
    my @words = map { quotemeta } split ' ', shift;
    my @found;
    for my $id (sort keys %notes) {
        my $note = $notes{$id};
        next if !@words || grep { $note !~ /$_/i } @words;
        my ($title) = $note =~ /^# (.*)$/m;
        my ($line) = grep { /$words[0]/i && !/^#/ } split /\n/, $note;
        push @found, "[$id] $title" . (defined $line ? ": … $line …" : '');
    }
    return join "\n", @found ? @found : 'Nothing found. Try fewer or other words.';
}

sub read_file {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

# JSON, as much of it as the protocol needs. Strings stay UTF-8 bytes, as they came. Dies of what is not JSON.
sub decode {
    my ($json) = @_;
    my $value = value(\$json);
    $json =~ /\G\s*\z/gc or die 'trailing text';
    return $value;
}

sub value {
    my ($json) = @_;
    for ($$json) {
        /\G\s+/gc;
        return string($json) if /\G"/gc;
        return $1 if /\G(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/gc;
        return { true => 1, false => 0, null => undef }->{$1} if /\G(true|false|null)/gc;
        if (/\G\[/gc) {
            my @list;
            return \@list if /\G\s*\]/gc;
            do { push @list, value($json) } while /\G\s*,/gc;
            /\G\s*\]/gc or die 'list';
            return \@list;
        }
        /\G\{/gc or die 'value';
        my %object;
        return \%object if /\G\s*\}/gc;
        do {
            /\G\s*"/gc or die 'name';
            my $name = string($json);
            /\G\s*:/gc or die 'colon';
            $object{$name} = value($json);
        } while /\G\s*,/gc;
        /\G\s*\}/gc or die 'object';
        return \%object;
    }
}

sub string {
    my ($json) = @_;
    $$json =~ /\G((?:[^"\\\x00-\x1f]|\\.)*)"/gc or die 'string';
    my $string = $1;
    my %short = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");
    $string =~ s{\\u[dD]([89abAB]..)\\u[dD]([c-fC-F]..)|\\u([0-9a-fA-F]{4})|\\(.)}{
        defined $1 ? utf8_of(0x10000 + ((hex("d$1") - 0xd800) << 10) + hex("d$2") - 0xdc00)
            : defined $3 ? utf8_of(hex $3)
            : $short{$4} // $4
    }ge;
    return $string;
}

sub utf8_of {
    my $character = chr shift;
    utf8::encode($character);
    return $character;
}

sub encode {
    my $string = shift // return 'null';
    $string =~ s/(["\\])/\\$1/g;
    $string =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
    return qq("$string");
}
