# frozen_string_literal: true

# The runtime of Ruby functions: it takes events from the Lambda Runtime API and hands them to the handler. What it does to a
# function (load path, context, error documents, log lines) is what AWS's runtime interface client for Ruby does.
#
# https://docs.aws.amazon.com/lambda/latest/dg/ruby-handler.html
# https://github.com/aws/aws-lambda-ruby-runtime-interface-client

require "json"
require "logger"
require "socket"
require "stringio"

$stdout.sync = true
$stderr.sync = true

module Devstack
  # API speaks HTTP with the daemon, on one connection.
  class API
    Reply = Struct.new(:status, :headers, :body)

    def initialize(address)
      host, _, port = address.rpartition(":")
      @socket = TCPSocket.new(host, port.to_i)
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      @host = address
    end

    def call(method, path, body = nil, headers = {})
      head = +"#{method} /2018-06-01/runtime/#{path} HTTP/1.1\r\nHost: #{@host}\r\n"
      headers.each { |name, value| head << "#{name}: #{value.gsub(/[\r\n]/, ' ')}\r\n" }
      head << "Content-Length: #{body.bytesize}\r\n" if body
      head << "\r\n"
      @socket.write(head.b, body ? body.b : "")
      read
    end

    private

    def read
      status = line.split(" ")[1].to_i
      headers = {}
      until (text = line).empty?
        name, value = text.split(":", 2)
        headers[name.downcase] = value.strip
      end
      Reply.new(status, headers, @socket.read(headers["content-length"].to_i))
    end

    def line
      text = @socket.gets("\r\n") or exit!(0) # the daemon is gone, or wants us to be
      text.chomp
    end
  end

  # Context is what a handler gets beside the event. https://docs.aws.amazon.com/lambda/latest/dg/ruby-context.html
  class Context
    attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
                :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms

    def initialize(headers)
      @ahead = Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond) - Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
      @deadline_ms = headers["lambda-runtime-deadline-ms"].to_i
      @aws_request_id = headers["lambda-runtime-aws-request-id"]
      @invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
      @log_group_name = ENV["AWS_LAMBDA_LOG_GROUP_NAME"]
      @log_stream_name = ENV["AWS_LAMBDA_LOG_STREAM_NAME"]
      @function_name = ENV["AWS_LAMBDA_FUNCTION_NAME"]
      @memory_limit_in_mb = ENV["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
      @function_version = ENV["AWS_LAMBDA_FUNCTION_VERSION"]
      @identity = parsed(headers["lambda-runtime-cognito-identity"])
      @client_context = parsed(headers["lambda-runtime-client-context"])
    end

    def get_remaining_time_in_millis
      [@deadline_ms - @ahead - Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond), 0].max
    end

    private

    def parsed(text)
      JSON.parse(text) if text
    end
  end

  # Formatter writes a logger's lines with the request's id, as Lambda's does for loggers on standard output.
  class Formatter < Logger::Formatter
    class << self
      attr_accessor :request_id
    end

    def call(severity, time, program, message)
      format("%s, [%s #%d] %5s %s -- %s: %s\n", severity[0], format_datetime(time), Process.pid, severity,
             Formatter.request_id, program, msg2str(message))
    end
  end

  # Logging gives the formatter to loggers on standard output and error.
  module Logging
    def initialize(device = nil, *args, **options)
      super
      @default_formatter = Formatter.new if device.nil? || device == $stdout || device == $stderr
    end
  end
  Logger.prepend(Logging)

  # Runtime runs one function.
  class Runtime
    # Errors whose class Lambda passes on in its header; any other is a UserException there.
    KNOWN = %w[ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError].freeze

    def initialize(api, root, handler)
      @api = api
      @root = root
      @handler = handler
    end

    def run
      $LOAD_PATH.unshift(@root) unless $LOAD_PATH.include?(@root)
      begin
        find
      rescue Exception => e # the function's own, whatever it is
        report("init/error", "Init", e, "Init error when loading handler #{@handler}")
        exit!(252) # -4, as AWS's
      end
      loop { serve(@api.call("GET", "invocation/next")) }
    end

    private

    # find loads the handler's file. The handler is FILE.METHOD or FILE.CLASS.METHOD.
    def find
      file, *scope, @method = @handler.split(".")
      if @method.nil? || scope.size > 1
        raise ArgumentError, "Invalid handler #{@handler.split('.')}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME " \
                             "corresponds with an existing Ruby source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a " \
                             "callable method. If using CLASS, METHOD must be a class-level method."
      end
      @scope = scope.first
      require file
    end

    def serve(event)
      raise "the Runtime API answered #{event.status}" unless event.status == 200

      id = event.headers["lambda-runtime-aws-request-id"]
      Formatter.request_id = id
      trace = event.headers["lambda-runtime-trace-id"]
      trace ? ENV["_X_AMZN_TRACE_ID"] = trace : ENV.delete("_X_AMZN_TRACE_ID")
      begin
        answer = handle(JSON.parse(event.body.force_encoding(Encoding::UTF_8)), Context.new(event.headers))
      rescue NameError => e # NoMethodError among them
        fail_critically(id, e)
      rescue StandardError => e
        report("invocation/#{id}/error", "Function", e, "Error raised from handler method")
      rescue Exception => e
        fail_critically(id, e)
      else
        @api.call("POST", "invocation/#{id}/response", *answer)
      end
    end

    def handle(event, context)
      receiver = @scope ? Kernel.const_get(@scope) : self
      result = receiver.__send__(@method, event: event, context: context)
      case result
      when StringIO, IO then [result.read, { "Content-Type" => "application/unknown" }]
      else [result.to_json, { "Content-Type" => "application/json" }]
      end
    end

    # fail_critically reports an error after which AWS's client means to end the process.
    def fail_critically(id, error)
      report("invocation/#{id}/error", "Function", error, "Critical exception from handler")
      exit!(255)
    end

    def report(path, kind, error, message)
      doc = { errorMessage: text(error.message), errorType: "#{kind}<#{error.class}>", stackTrace: trace(error) }
      $stdout.puts(message, JSON.pretty_generate(doc))
      type = KNOWN.include?(error.class.to_s) ? doc[:errorType] : "Function<UserException>"
      @api.call("POST", path, JSON.generate(doc), { "Content-Type" => "application/json", "Lambda-Runtime-Function-Error-Type" => type })
    end

    # trace is where an error comes from, without this file's part of it.
    def trace(error)
      (error.backtrace || []).first(100).take_while { |at| !at.start_with?(__FILE__) }.map { |at| text(at) }
    end

    def text(value)
      value.to_s.dup.force_encoding(Encoding::UTF_8).scrub
    end
  end
end

Devstack::Runtime.new(Devstack::API.new(ENV.fetch("AWS_LAMBDA_RUNTIME_API")), ENV.fetch("LAMBDA_TASK_ROOT"), ENV.fetch("_HANDLER")).run
